"""Process: what is configured in this process, and how all of that is undone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from ..lines import LineBuffer
from .capture import captured_output
from .configuration import Configuration
from .console import Console, is_coloured
from .current import current
from .hooks import hooked
from .loggers import configured_loggers
from .output import process_lines
from .records import LineHandler
from .rendering import Json
from .stream import Stream
from .waiting import structlog_configured

__all__ = ["configured", "enter_logging", "logging_entered", "logging_kept", "stream_of"]

Undo = Callable[[], None]


def enter_logging(configuration: Configuration) -> Undo:
    """Let this process write by a configuration; return what undoes that, in any order.

    A process may enter several times: by the environment at its first line, by the settings of a
    project once they are read, by those of a second project. The latest one that has not been left
    holds. Entering it again is cheap, and takes the handlers away that others have added since.

    Surprises: a process that is about to end need not leave. What Python says of its end is a
    line as well, then.

    ```python
    leave = enter_logging(Configuration.of(project.settings, "web"))
    ```

    Args:
        configuration: How it writes.
    """
    return _standing.enter(configuration)


@contextmanager
def logging_entered(configuration: Configuration) -> Iterator[None]:
    """Let this process write by a configuration within a block."""
    leave = enter_logging(configuration)
    try:
        yield
    finally:
        leave()


@contextmanager
def logging_kept() -> Iterator[None]:
    """Leave, at the end of a block, whatever has been entered in it: in a test runner's process."""
    before = _standing.tokens
    try:
        yield
    finally:
        _standing.leave_all_but(before)


def configured() -> Configuration | None:
    """Return the configuration that holds in this process."""
    return _standing.latest


def stream_of(configuration: Configuration, lines: LineBuffer | None = None) -> Stream:
    """Return the stream of a configuration.

    Args:
        configuration: How lines look.
        lines: Where they go; by default where the role says.
    """
    if lines is None:
        is_command = configuration.role == "command"
        lines = LineBuffer("stderr") if is_command else process_lines()
    is_text = configuration.shape == "console"
    # Whoever develops sees what is printed and what is logged in the order in which it was said.
    lines.flush_after_s = 0 if is_text else configuration.flush_after_s
    if is_text:
        stream = sys.stderr if configuration.role == "command" else sys.stdout
        render: Console | Json = Console(coloured=is_coloured(stream), fields=configuration.fields)
    else:
        render = Json(
            max_field_bytes=configuration.max_field_bytes,
            max_line_bytes=configuration.max_line_bytes,
        )
    return Stream(
        lines, render, role=configuration.role, fields=configuration.fields, is_text=is_text
    )


class _Standing:
    """The configurations that have been entered, and what the latest of them has put in place."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._entered: list[tuple[object, Configuration]] = []
        self._undo = ExitStack()

    @property
    def latest(self) -> Configuration | None:
        return self._entered[-1][1] if self._entered else None

    def enter(self, configuration: Configuration) -> Undo:
        token = object()
        with self._lock:
            self._entered.append((token, configuration))
            self._put_in_place()
        return partial(self._leave, token)

    @property
    def tokens(self) -> frozenset[object]:
        return frozenset(token for token, _ in self._entered)

    def leave_all_but(self, kept: frozenset[object]) -> None:
        with self._lock:
            self._entered = [each for each in self._entered if each[0] in kept]
            self._put_in_place()

    def _leave(self, token: object) -> None:
        with self._lock:
            self._entered = [each for each in self._entered if each[0] is not token]
            self._put_in_place()

    def _put_in_place(self) -> None:
        self._undo.close()
        self._undo = ExitStack()
        if self.latest is not None:
            _install(self.latest, self._undo)


def _install(configuration: Configuration, undo: ExitStack) -> None:
    if configuration.reach == "nothing":
        return
    if configuration.reach == "process":
        stream = stream_of(configuration)
        undo.callback(stream.lines.flush)
        undo.callback(hooked(stream))
        if configuration.captures_output and configuration.shape == "json":
            undo.callback(captured_output(stream))
        undo.callback(configured_loggers(configuration, LineHandler(stream)))
        undo.callback(_set_current, None)
        _set_current(stream)
    undo.callback(structlog_configured())


def _set_current(stream: Stream | None) -> None:
    current.stream = stream


_standing: Final = _Standing()
