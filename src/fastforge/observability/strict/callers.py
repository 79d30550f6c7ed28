"""Callers: which line of the user's code has made a call, and under which name."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from types import FrameType
from typing import Final

from ..._utils import is_written_by_the_user
from ...exceptions import Location
from ..replacements import blocking_call

__all__ = ["Exempt", "blamed"]

Exempt = Callable[[str], bool]
"""Returns whether the code of a file may block: that of tests."""

_OURS: Final = os.path.dirname(os.path.dirname(os.path.dirname(__file__))) + os.sep
_STANDARD: Final = os.path.dirname(os.__file__) + os.sep
_MAY_BLOCK: Final = (
    # What Python does by itself: imports, tracebacks, lines of source, tables of the system.
    *("importlib", "encodings", "zoneinfo", "linecache.py", "traceback.py", "tokenize.py"),
    *("inspect.py", "warnings.py", "mimetypes.py", "gettext.py", "locale.py", "pkgutil.py"),
    # What writes lines, and what debugs.
    *("logging", "bdb.py", "pdb.py", "trace.py"),
    # What is asynchronous itself; it knows what it does.
    *("asyncio", "concurrent/futures/thread.py", "ssl.py"),
)
_INSTALLED_MAY: Final = (
    *("anyio", "asyncpg", "coverage", "debugpy", "httpcore", "jinja2", "pluggy", "pydevd"),
    *("pytest", "_pytest", "structlog", "uvloop", "_pydevd_bundle", "IPython"),
)
_IMPORTING: Final = "<module>"
_STARTS_A_THREAD: Final = ("threading.py", "start")


def blamed(frame: FrameType | None, primitive: str, exempt: Exempt) -> tuple[str, Location] | None:
    """Return what the user's code has called, and where; None if it may, or has not.

    Args:
        frame: Where the call is made.
        primitive: The dotted name of what blocks at the end.
        exempt: Whose code may.
    """
    called = ""
    while frame is not None:
        code = frame.f_code
        kind = _kind(code.co_filename)
        if kind == "may" or (
            code.co_name == _STARTS_A_THREAD[1] and code.co_filename.endswith(_STARTS_A_THREAD[0])
        ):
            return None
        if kind == "theirs":
            if exempt(code.co_filename) or code.co_name == _IMPORTING:
                return None
            return called or primitive, Location(code.co_filename, frame.f_lineno)
        owner = called.rpartition(".")[0]
        called = (
            _public_name(frame.f_globals.get("__name__", ""), code.co_qualname)
            or _known(f"{owner}.{code.co_name}")
            or called
        )
        frame = frame.f_back
    return None


@functools.lru_cache(maxsize=4096)
def _kind(file: str) -> str:
    """Return whose a file is: `theirs`, that of one who `may` block, or another `library`."""
    if file.startswith((_OURS, "<frozen importlib")):
        return "may"
    if _installed_name(file) in _INSTALLED_MAY:
        return "may"
    if file.startswith(_STANDARD) and f"-packages{os.sep}" not in file:
        inside = file.removeprefix(_STANDARD).replace(os.sep, "/")
        return "may" if inside.startswith(_MAY_BLOCK) else "library"
    return "theirs" if is_written_by_the_user(file) else "library"


def _installed_name(file: str) -> str:
    """Return the package of an installed file; empty for another one."""
    _, found, inside = file.rpartition(f"-packages{os.sep}")
    return inside.partition(os.sep)[0].removesuffix(".py") if found else ""


@functools.lru_cache(maxsize=1024)
def _public_name(module: str, function: str) -> str:
    """Return the name under which the table knows a function, which may be that of a package."""
    parts = module.split(".")
    names = (f"{'.'.join(parts[:end])}.{function}" for end in range(len(parts), 0, -1))
    return next(filter(_known, names), "")


@functools.lru_cache(maxsize=1024)
def _known(name: str) -> str:
    """Return a name that the table knows; of a class that mixes others in it is a method's, too."""
    return name if blocking_call(name) is not None else ""
