"""Lines: what the latest requests have written to the log."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ...observability.context import request_id
from ...observability.logging.records import written_fields
from ...redaction import redacted

__all__ = ["LogLine", "RequestLines"]

MOST_LINES: Final = 2000
"""How many are kept, of all requests together."""
MOST_SHOWN: Final = 50
LONGEST: Final = 2000

LogLine = tuple[float, str, str, str]
"""When, in seconds since 1970; its level; its logger; what it says."""


class RequestLines(logging.Handler):
    """Keeps the latest lines that requests write, in development.

    One line costs a look at a variable and, within a request, its text.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[tuple[str, LogLine]] = deque(maxlen=MOST_LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, if it is a request's."""
        _say_what_nobody_else_does(self, record)
        request = request_id.get()
        if request is None:
            return
        try:
            text = record.getMessage()
        except Exception:  # its arguments do not fit: whoever writes the log says so
            text = str(record.msg)
        more = written_fields(record)
        if more and "event" not in more:  # of our own lines the text says all of it
            more = redacted(more)
            text = " ".join([text, *(f"{name}={value!r}" for name, value in more.items())])
        line = record.created, record.levelname.lower(), record.name, text[:LONGEST]
        self._lines.append((request, line))

    def of(self, request: str | None) -> tuple[LogLine, ...]:
        """Return the latest lines of a request."""
        found = [line for owner, line in [*self._lines] if owner == request]
        return tuple(found[-MOST_SHOWN:])

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to everything that is logged meanwhile."""
        root = logging.getLogger()
        root.addHandler(self)
        try:
            yield
        finally:
            root.removeHandler(self)


def _say_what_nobody_else_does(own: logging.Handler, record: logging.LogRecord) -> None:
    """Write a line to standard error where nobody has set up logging, as Python does by itself.

    It does so while there is no handler at all, and there is this one.
    """
    last = logging.lastResort
    if last is not None and record.levelno >= last.level and logging.root.handlers == [own]:
        last.handle(record)
