"""Strict: which tests let calls that block raise, and whose code may block all the same."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

import pytest

from ..observability.watchdog.settings import Watchdog
from .loops import is_async

if TYPE_CHECKING:
    from ..project import Project

__all__ = ["code_of_tests", "is_strict"]

MARKER: Final = "allow_blocking"
_SETTING: Final = "WATCHDOG"
_FOLDERS: Final = frozenset({"test", "tests"})


def is_strict(request: pytest.FixtureRequest) -> bool:
    """Return whether calls that block raise in a test: one with an event loop, here or in a server.

    The project is loaded for what it says of that; if it cannot be, they do.
    """
    has_loop = is_async(request) or "project" in request.fixturenames
    if not has_loop or request.node.get_closest_marker(MARKER) is not None:
        return False
    try:
        session = request.getfixturevalue("fastforge_session")
    except pytest.fail.Exception:  # told to the tests that ask for the project
        return True
    project: Project = session.project
    for marker in reversed(list(request.node.iter_markers("settings"))):
        if _SETTING in marker.kwargs:
            project = project.overriding(settings={_SETTING: marker.kwargs[_SETTING]})
    return project.settings.section(Watchdog).is_strict_in("test")


def code_of_tests(config: pytest.Config) -> Callable[[str], bool]:
    """Return what says whether a file is one of tests, or stands beside them to help.

    Args:
        config: Says how the files of tests are called.
    """
    patterns = ("conftest.py", *config.getini("python_files"))
    root = str(config.rootpath)

    @functools.lru_cache(maxsize=1024)
    def is_one(file: str) -> bool:
        folders = os.path.dirname(file.removeprefix(root)).split(os.sep)
        is_below = file.startswith(root) and not _FOLDERS.isdisjoint(folders)
        return is_below or any(fnmatch(os.path.basename(file), each) for each in patterns)

    return is_one
