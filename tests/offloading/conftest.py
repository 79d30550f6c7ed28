"""A project with few threads, and functions that end when a test says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastforge import Project
from tests.folder import isolated

SETTINGS = """
    from fastforge.core.settings import Server

    SERVER = Server(threads={threads}, offload_processes={processes})
    """

MakeProject = Callable[..., Project]


@pytest.fixture
def make_project(tmp_path: Path) -> Iterator[MakeProject]:
    with isolated(tmp_path) as folder:

        def make(*, threads: int = 3, processes: int = 2) -> Project:
            text = SETTINGS.format(threads=threads, processes=processes)
            folder.write({"shop/settings.py": text})
            return folder.load()

        yield make


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    return make_project()


class Door:
    """A function that blocks until it is opened, and what has gone through meanwhile."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self._lock = threading.Lock()
        self.inside = 0
        self.most = 0
        self.passed = 0

    def enter(self) -> int:
        """Wait until the door is open; return how many were inside at most."""
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.opened.wait()
        with self._lock:
            self.inside -= 1
            self.passed += 1
        return self.most

    def open(self) -> None:
        """Let everybody through."""
        self.opened.set()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.open()  # a test that failed leaves nobody behind
