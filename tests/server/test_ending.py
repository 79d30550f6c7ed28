"""A process that serves ends when it is told to, whatever its handlers do."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.folder import ProjectFolder
from tests.processes import fetch, free_port, start, wait_until

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
SERVER = Server(graceful_s=0)
"""


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
    argv = [sys.executable, "-m", "fastforge", "runserver", str(port)]
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
