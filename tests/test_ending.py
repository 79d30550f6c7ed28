"""A process ends although threads of it do not: with the exit code that it would have had."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.processes import run, start

PROGRAM = """
import sys, threading, time
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
