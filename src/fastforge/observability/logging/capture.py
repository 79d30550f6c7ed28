"""Capture: what is printed becomes lines of the one stream, one by one and whole."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, Literal, TextIO

from .stream import Stream

__all__ = ["captured_output"]

LONGEST_PART: Final = 64 * 1024
"""What is kept of a text whose line does not end; then it is written as it is."""
TRACEBACK: Final = "Traceback (most recent call last):"
LONGEST_TRACEBACK: Final = 1000
"""Lines of a traceback that are kept together."""

Name = Literal["stdout", "stderr"]


def captured_output(stream: Stream) -> Callable[[], None]:
    """Put in place of standard output and standard error what writes lines; return the undoing."""
    undone = [_captured("stdout", "info", stream), _captured("stderr", "warning", stream)]

    def undo() -> None:
        for each in undone:
            each()

    return undo


def _captured(name: Name, level: str, stream: Stream) -> Callable[[], None]:
    before: TextIO | None = getattr(sys, name)
    if before is None:
        return lambda: None
    printed = _printed.get(name)
    if printed is None or printed.beneath is not before:
        printed = _printed[name] = Printed(before, name, level)
    printed.begin(stream)
    setattr(sys, name, printed)

    def undo() -> None:
        printed.release()
        if getattr(sys, name) is printed:
            setattr(sys, name, before)

    return undo


class Printed(io.TextIOBase):
    """A text stream each line of which is a line of the log.

    A line is written when it is complete; each thread has lines of its own. A traceback that is
    printed is one line, whose event is its last one.

    Surprises: it has the number of the file beneath, which other processes inherit and write to
    as they like.

    Args:
        beneath: What stood in its place.
        name: `stdout` or `stderr`, which is the logger of the lines.
        level: Their level.

    Attributes:
        beneath: The same.
    """

    def __init__(self, beneath: TextIO, name: str, level: str) -> None:
        super().__init__()
        self.beneath = beneath
        self._name = name
        self._level = level
        self._stream: Stream | None = None
        self._parts: dict[int, str] = {}
        self._tracebacks: dict[int, list[str]] = {}
        self.buffer = _Bytes(self)

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    mode = "w"
    line_buffering = True

    @property
    def name(self) -> str:
        """The name of what is beneath."""
        return str(getattr(self.beneath, "name", f"<{self._name}>"))

    def write(self, text: str) -> int:
        """Take a text; each line that ends in it is written."""
        stream = self._stream
        if stream is None:  # nothing is captured now, and somebody has kept this
            return self.beneath.write(text)
        thread = threading.get_ident()
        *lines, part = (self._parts.pop(thread, "") + text).split("\n")
        for line in lines:
            self._tell(stream, line, thread)
        if len(part) > LONGEST_PART:
            self._tell(stream, part, thread)
        elif part:
            self._parts[thread] = part
        return len(text)

    def begin(self, stream: Stream) -> None:
        """Write lines from here on."""
        self._stream = stream

    def release(self) -> None:
        """Write what has not ended; from here on everything goes to what is beneath."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        for thread in {*self._parts, *self._tracebacks}:
            if part := self._parts.pop(thread, ""):
                self._tell(stream, part, thread)
            if lines := self._tracebacks.pop(thread, None):
                self._tell_traceback(stream, lines)

    def flush(self) -> None:
        """Do nothing: a line that is not whole waits for its end."""

    def close(self) -> None:
        """Do nothing: the output of the process is not for its code to close."""

    def reconfigure(self, **options: Any) -> None:
        """Do nothing: lines are UTF-8."""

    def fileno(self) -> int:
        """Return the number of what is beneath."""
        return self.beneath.fileno()

    def isatty(self) -> bool:
        """Return whether a terminal is beneath."""
        return self.beneath.isatty()

    def writable(self) -> bool:
        """Return that it is."""
        return True

    def _tell(self, stream: Stream, text: str, thread: int) -> None:
        text = text.rstrip("\r").rpartition("\r")[2]  # of what a terminal would overwrite, the last
        if lines := self._tracebacks.get(thread):
            lines.append(text)
            if text[:1].isspace() and len(lines) < LONGEST_TRACEBACK:
                return
            del self._tracebacks[thread]
            self._tell_traceback(stream, lines)
        elif text.startswith(TRACEBACK):
            self._tracebacks[thread] = [text]
        elif text.strip():
            stream.write(self._level, text, self._name)

    def _tell_traceback(self, stream: Stream, lines: list[str]) -> None:
        stream.write("error", lines[-1], self._name, {"traceback": "\n".join(lines)})


class _Bytes(io.RawIOBase):
    """What `sys.stdout.buffer` is: takes bytes of text."""

    def __init__(self, text: Printed) -> None:
        super().__init__()
        self._text = text

    def write(self, content: Any) -> int:
        """Take bytes; what is no UTF-8 is escaped."""
        self._text.write(bytes(content).decode("utf-8", "backslashreplace"))
        return len(content)

    def fileno(self) -> int:
        """Return the number of what is beneath."""
        return self._text.fileno()

    def writable(self) -> bool:
        """Return that it is."""
        return True


_printed: Final[dict[str, Printed]] = {}
"""The latest ones: who has kept one from an earlier configuration writes lines all the same."""
