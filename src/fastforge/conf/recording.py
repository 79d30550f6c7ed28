"""Recording: what a settings module asks of the environment, and every mistake on the way.

The loader opens a recording around the execution of a settings module. `env()` and sections
write into it in place of raising, so that all mistakes can be reported at once.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from ..exceptions import ForgeError, Location

__all__ = [
    "MISSING",
    "EnvVariable",
    "Placeholder",
    "Recording",
    "caller",
    "current",
    "keyword_location",
    "record",
    "recording",
]

MISSING: Any = type("_Missing", (), {"__repr__": lambda self: "MISSING"})()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvVariable:
    """One `env()` call: what it asked for, where, and where the value came from."""

    name: str
    type: Any
    default: Any
    help: str
    secret: bool
    location: Location
    source: str

    @property
    def required(self) -> bool:
        """Whether the variable has to be set."""
        return self.default is MISSING


@dataclass(slots=True)
class Recording:
    """The state of one load of a settings module.

    Args:
        environ: The variables that `env()` sees: the real environment over `.env`.
        dotenv: Those of them that only `.env` gives, with the line that does.
    """

    environ: Mapping[str, str]
    dotenv: Mapping[str, Location] = field(default_factory=dict)
    variables: list[EnvVariable] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)
    errors: list[ForgeError] = field(default_factory=list)


class Placeholder(str):
    """Stands for a value that could not be read, so that the settings module goes on.

    Whatever is done with it gives a placeholder again; a section that meets one reports nothing,
    because the cause has been recorded already.
    """

    __slots__ = ()

    if not TYPE_CHECKING:  # to a type checker it is a text like any other

        def _itself(self, *_, **__):
            return self

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _itself
        __truediv__ = __rtruediv__ = __floordiv__ = __mod__ = __rmod__ = _itself
        __getitem__ = __call__ = _itself

    def __getattribute__(self, name: str) -> Any:
        return super().__getattribute__(name) if name.startswith("__") else self

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __int__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0


_current: ContextVar[Recording | None] = ContextVar("fastforge_recording", default=None)


def current() -> Recording | None:
    """Return the recording of the load that is under way, if one is."""
    return _current.get()


@contextmanager
def recording(state: Recording) -> Iterator[Recording]:
    """Make a recording current while a settings module runs."""
    token = _current.set(state)
    try:
        yield state
    finally:
        _current.reset(token)


def record(error: ForgeError) -> None:
    """Note a mistake of the load under way; outside of one, raise it."""
    state = current()
    if state is None:
        raise error
    state.errors.append(error)


def caller() -> FrameType:
    """Return the frame of the user's code that called into this package."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame or sys._getframe(1)


def keyword_location(frame: FrameType, keyword: str | None = None) -> Location:
    """Return where the call that a frame is making was written, or one of its keywords."""
    file = frame.f_code.co_filename
    positions = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    line, column = positions[0] or frame.f_lineno, positions[2]
    if keyword is not None:
        for call in _calls(file, line, column):
            for argument in call.keywords:
                if argument.arg == keyword:
                    return Location(file, argument.value.lineno)
    return Location(file, line)


def _calls(file: str, line: int, column: int | None) -> Iterator[ast.Call]:
    source = "".join(linecache.getlines(file))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (node.lineno, node.col_offset) == (line, column):
            yield node


def _is_ours(module: str) -> bool:
    package = __package__ or ""
    is_here = module == package or module.startswith(f"{package}.")
    return is_here or module.partition(".")[0] in ("pydantic", "pydantic_core")
