"""A process ends although a thread or a task does not, with the exit code it would have had."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.folder import ProjectFolder
from tests.processes import fetch, free_port, run, start, wait_until

PROGRAM = """
import os, sys, threading, time
from fastforge.ending import leave_behind, will_exit

def begin(function, *args):
    thread = threading.Thread(target=function, args=args)
    thread.start()
    return thread

def write_late():
    time.sleep(0.2)
    print("the other thread is done", flush=True)

forever = threading.Event()
"""
STUCK = "leave_behind([begin(forever.wait)])\n"
UNREAD = """
reader, writer = os.pipe()
os.close(reader)
sys.stdout = open(writer, "w")
print("lost")
"""

ROUTES = """
import asyncio
import time

from fastapi import APIRouter

router = APIRouter()

@router.get("/task")
async def task() -> None:
    print("begun", flush=True)
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

@router.get("/thread")
def thread() -> None:
    print("begun", flush=True)
    time.sleep(3600)

@router.get("/executor")
async def executor() -> None:
    print("begun", flush=True)
    await asyncio.to_thread(time.sleep, 3600)

@router.get("/ready")
async def ready() -> None: ...
"""

SETTINGS = """
from fastforge.core.settings import Server

INSTALLED_APPS = ["shop.orders"]
SERVER = Server(graceful_s=0, drain_s=0, linger_s=0)
"""


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("", 0),
        ("will_exit(7)\nsys.exit(7)", 7),
        ("raise ValueError('no paper')", 1),
    ],
)
def test_a_thread_that_does_not_end_does_not_keep_the_process(end: str, code: int) -> None:
    done = run([sys.executable, "-c", f"{PROGRAM}{STUCK}print('written')\n{end}"])
    assert (done.returncode, done.stdout) == (code, "written\n")


def test_it_ends_also_when_nobody_reads_its_output() -> None:
    done = run([sys.executable, "-c", f"{PROGRAM}{STUCK}{UNREAD}will_exit(7)"])
    assert done.returncode == 7


def test_other_threads_are_waited_for() -> None:
    done = run([sys.executable, "-c", f"{PROGRAM}{STUCK}begin(write_late)"])
    assert (done.returncode, done.stdout) == (0, "the other thread is done\n")


def test_a_thread_that_has_ended_changes_nothing() -> None:
    end = "thread = begin(write_late)\nleave_behind([thread])\nthread.join()\nsys.exit(7)"
    assert run([sys.executable, "-c", PROGRAM + end]).returncode == 7


def test_a_command_keeps_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "shop" / "commands").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text('[tool.fastforge]\nsettings = "shop.settings"\n')
    (tmp_path / "shop" / "__init__.py").touch()
    (tmp_path / "shop" / "settings.py").write_text('INSTALLED_APPS = ["shop"]\n')
    (tmp_path / "shop" / "commands" / "wait.py").write_text(
        '"""Wait for what never comes."""\n'
        "import threading\n"
        "from fastforge import offload\n"
        "from fastforge.commands import command\n\n"
        "@command\n"
        "async def wait(*, give_up: bool = False) -> int:\n"
        "    print('waiting', flush=True)\n"
        "    try:\n"
        "        await offload(threading.Event().wait, timeout_s=0.1 if give_up else None)\n"
        "    except TimeoutError as error:\n"
        "        print(error)\n"
        "    return 1\n"
    )
    env = {"FASTFORGE_ENV": "test"}
    done = run(["manage", "wait", "--give-up"], cwd=tmp_path, env=env)
    assert done.returncode == 1
    assert "[offloading.E011] threading.Event.wait did not end within 0.1 s" in done.stdout
    assert "left behind: threading.Event.wait (1)" in done.stderr
    with start(["manage", "wait"], cwd=tmp_path, env=env) as command:
        command.wait_for("waiting")
        command.interrupt()
        assert command.wait() == 130
        assert "Traceback" not in command.output


@pytest.mark.parametrize("path", ["task", "thread", "executor"])
def test_what_goes_on_for_ever_does_not_keep_the_process(tmp_path: Path, path: str) -> None:
    ProjectFolder(tmp_path).write(
        {
            "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
            "shop/settings.py": SETTINGS,
            "shop/orders/routes.py": ROUTES,
        }
    )
    port = free_port()
    argv = [sys.executable, "-m", "fastforge", "runserver", str(port), "--workers", "1"]
    url = f"http://127.0.0.1:{port}/"
    with start(argv, cwd=tmp_path, env={"FASTFORGE_ENV": "production"}) as server:
        wait_until(lambda: fetch(f"{url}ready"), describe=server)
        threading.Thread(target=_ask, args=(url + path,), daemon=True).start()
        server.wait_for("begun")
        server.terminate()
        assert server.wait() == 0
        assert "the process ends although a thread or a task of it goes on" in server.output


def _ask(url: str) -> None:
    with suppress(OSError, HTTPException):  # the server goes away
        fetch(url)
