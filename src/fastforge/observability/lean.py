"""Lean: lines that come with each request and job, written for a fraction of what logging costs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import orjson

from .lines import ATOMIC_BYTES, LineBuffer
from .logging import process_lines

__all__ = ["LeanWriter", "Record", "cut", "printable"]

Record: TypeAlias = dict[str, Any]
"""What a line says, by name, in the order in which it is written."""
Render: TypeAlias = Callable[[Record], bytes]

LONGEST_TEXT: Final = 128
"""Characters of each text in a line that would not be written in one piece; a character may take
six bytes and more."""
LONGEST_MESSAGE: Final = 512
FRAMES_KEPT: Final = (8, 4, 1)
"""How many frames of an exception are tried to be kept in such a line."""


class LeanWriter:
    """Writes records as lines that look like all others of the process, into the same buffer.

    Surprises: no handler, filter or level of `logging` sees them.

    Args:
        logger: The name that stands in the lines as that of their logger.
        role: What the process is: `web`, `worker`.
        text: Renders a record for a terminal; by default it is a JSON object.
        lines: Where the lines go; the buffer of the process by default.
    """

    __slots__ = ("_latest", "_lines", "_logger", "_render", "_role", "_second", "_timestamp")

    def __init__(
        self,
        logger: str,
        *,
        role: str,
        text: Callable[[Record], str] | None = None,
        lines: LineBuffer | None = None,
    ) -> None:
        self._lines = process_lines() if lines is None else lines
        self._logger = logger
        self._role = role
        self._render: Render = _as_json if text is None else lambda record: text(record).encode()
        self._latest = -1
        self._second = (-1, "")
        self._timestamp = ""

    def begin(self, event: str, level: str) -> Record:
        """Return a record with what each line begins with."""
        return {
            "timestamp": self._now(),
            "level": level,
            "event": event,
            "logger": self._logger,
            "pid": os.getpid(),  # asked each time: a process may be forked with this object
            "role": self._role,
        }

    def write(self, record: Record, *, at_once: bool = False) -> None:
        """Write a record; what does not fit into one piece is cut.

        Args:
            record: What `begin` has begun.
            at_once: Do not wait for further lines.
        """
        line = self._render(record)
        if len(line) > ATOMIC_BYTES:
            line = self._render_short(record)
        self._lines.write(line, at_once=at_once)

    def close(self) -> None:
        """Write what is waiting; a process that ends loses nothing then."""
        self._lines.close()

    def _now(self) -> str:
        """Return the time; what does not change in a second, or a millisecond, is kept."""
        milliseconds = time.time_ns() // 1_000_000
        if milliseconds == self._latest:
            return self._timestamp
        second, text = self._second
        if milliseconds // 1000 != second:
            second = milliseconds // 1000
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second, text
        self._latest = milliseconds
        self._timestamp = f"{text}.{milliseconds % 1000:03d}Z"
        return self._timestamp

    def _render_short(self, record: Record) -> bytes:
        """Render what other processes that write into the same pipe cannot cut in two."""
        record = {name: cut(value, LONGEST_TEXT) for name, value in record.items()}
        line = self._render(record)
        exception = record.get("exception")
        if len(line) <= ATOMIC_BYTES or not isinstance(exception, dict):
            return line
        for frames in FRAMES_KEPT:
            line = self._render(record | {"exception": _shortened(exception, frames)})
            if len(line) <= ATOMIC_BYTES:
                break
        return line


def cut(value: Any, length: int) -> Any:
    """Return the beginning of a text, if it is longer; anything else as it is."""
    is_longer = isinstance(value, str) and len(value) > length
    return f"{value[:length]}..." if is_longer else value


def printable(value: Any) -> Any:
    """Return a text so that it cannot steer a terminal; anything else as it is."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return value.encode("unicode_escape", "replace").decode("ascii")


def _as_json(record: Record) -> bytes:
    try:
        return orjson.dumps(record, None, orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # text that is no Unicode: half of a surrogate pair
        whole = {name: printable(value) for name, value in record.items()}
        return orjson.dumps(whole, repr, orjson.OPT_APPEND_NEWLINE)


def _shortened(exception: Record, frames: int) -> Record:
    """Return of an exception what says most: its own words, and the innermost of its frames."""
    kept = [
        {name: value for name, value in frame.items() if name != "source"}
        for frame in exception.get("frames", ())[-frames:]
    ]
    message = cut(exception.get("message"), LONGEST_MESSAGE)
    return {"type": exception.get("type"), "message": message, "frames": kept, "is_cut": True}
