"""A shop that is served by several processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commanding import start
from tests.folder import ProjectFolder
from tests.processes import Process, descendants, fetch, free_port, wait_until

SETTINGS = """
from fastforge.core.settings import Server

INSTALLED_APPS = ["shop.notes"]
SECRET_KEY = "only-for-these-tests-0123456789abcdef0123456789abcdef"
"""
ROUTES = """
import asyncio
import os
import time

from fastapi import APIRouter

VERSION = 1
router = APIRouter()


@router.get("/")
async def which() -> dict[str, int]:
    return {"version": VERSION, "pid": os.getpid()}


@router.get("/slow")
async def slow() -> int:
    print("in flight", flush=True)
    await asyncio.sleep(3600)
    return 1


@router.get("/hang")
async def hang() -> int:
    print("hanging", flush=True)
    time.sleep(3600)
    return 1
"""


class Shop:
    """A project, and the address at which it is served."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def settings(self, server: str = "drain_s=0.5, linger_s=0.2", more: str = "") -> None:
        """Write the settings, with the arguments of their SERVER."""
        self.folder.write({"shop/settings.py": f"{SETTINGS}SERVER = Server({server})\n{more}"})

    def version(self, number: int) -> None:
        """Write another version of the code."""
        text = ROUTES.replace("VERSION = 1", f"VERSION = {number}")
        self.folder.write({"shop/notes/routes.py": text})

    def start(self, *options: str, env: Mapping[str, str] | None = None) -> Process:
        """Start `manage runserver`, in production unless told otherwise."""
        argv = [sys.executable, "-m", "fastforge", "runserver", str(self.port), *options]
        return start(
            argv, cwd=self.folder.path, env={"FASTFORGE_ENV": "production"} | dict(env or {})
        )

    @contextmanager
    def served(self, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Process]:
        """Start it, and give it when all of its processes serve."""
        with self.start(*options, env=env) as server:
            server.wait_for("Ctrl-C stops)\n")
            yield server
            assert "Traceback" not in server.output

    def answers(self, text: str) -> bool:
        """Whether it answers, and with this text."""
        answer = fetch(self.url)
        return answer is not None and text in answer.body


@pytest.fixture
def shop(tmp_path: Path) -> ProjectFolder:
    folder = ProjectFolder(tmp_path)
    folder.write({"pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n'})
    return folder


@pytest.fixture
def site(shop: ProjectFolder) -> Shop:
    site = Shop(shop)
    site.settings()
    site.version(1)
    return site


def replaced(server: Process, before: set[int]) -> set[int]:
    """The processes of a server, once none of those before is among them and as many serve."""

    def others() -> set[int]:
        now = descendants(server.pid)
        return now if len(now) == len(before) and not now & before else set()

    return wait_until(others, describe=server)
