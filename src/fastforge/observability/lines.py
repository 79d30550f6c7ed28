"""Lines: a buffer in front of standard output that never fails, and never holds up, its writers."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import select
import stat
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from contextvars import Context
from typing import Final, TextIO

__all__ = ["LineBuffer"]

logger = logging.getLogger("fastforge.observability")

FLUSH_AFTER_S: Final = 0.05
FLUSH_AT_BYTES: Final = 64 * 1024
KEPT_BYTES: Final = 1024 * 1024
"""What is kept for a reader that does not read; lines beyond it are dropped."""
LAST_WAIT_S: Final = 1.0
"""How long the end of the process waits for a reader that does not read."""
ATOMIC_BYTES: Final = select.PIPE_BUF
"""What is written into a pipe at once arrives in one piece up to this size."""


class LineBuffer:
    """Collects lines and hands them to a stream: soon, when there are many, or when told to.

    Several processes may write to the same stream: a line is never cut in two by a line of
    another, in a pipe as long as it is shorter than 4 KiB.

    Surprises: a stream that is closed, or whose disk is full, loses the lines, and nobody hears of
    it: whoever could read that is gone. A pipe that nobody empties is tried again; beyond a
    mebibyte the lines are dropped and counted.

    Args:
        stream: Where they go; standard output, as it is at that moment, by default.

    Attributes:
        dropped: How many lines have not been kept for a reader that does not read.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.dropped = self._told = 0
        self._stream = stream
        self._lines: deque[bytes] = deque()
        self._size_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closes_at_exit = False

    def write(self, line: bytes) -> None:
        """Take a line, its end included; outside of an event loop it is written at once."""
        if self._size_bytes > KEPT_BYTES:
            self.dropped += 1
            return
        self._lines.append(line)
        self._size_bytes += len(line)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            return
        if self._size_bytes > FLUSH_AT_BYTES:
            self.flush()
        elif self._loop is not loop:  # which may have ended before its time came
            self._flush_soon(loop)

    def flush(self) -> None:
        """Write what is there, as far as nobody has to wait for it."""
        self._write(wait_s=0)
        if self.dropped > self._told and not self._lines:
            logger.warning(
                "%d lines were dropped: nobody read standard output", self.dropped - self._told
            )
            self._told = self.dropped

    def close(self) -> None:
        """Write what is there and wait a moment for whoever reads it; more may be written later."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop = None
        atexit.unregister(self.close)
        self._closes_at_exit = False
        self._write(wait_s=LAST_WAIT_S)

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # In a context of its own: the line is that of a request, the others' lines are not.
        self._timer = loop.call_later(FLUSH_AFTER_S, self._tick, loop, context=Context())
        if not self._closes_at_exit:  # which keeps each one that it is given
            self._closes_at_exit = True
            atexit.register(self.close)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = self._loop = None
        self.flush()
        if self._lines:
            self._flush_soon(loop)

    def _write(self, *, wait_s: float) -> None:
        stream = self._stream or sys.stdout
        try:
            descriptor = stream.fileno()
        except (AttributeError, OSError, ValueError):  # none at all, one in memory, a closed one
            self._write_text(stream)
            return
        try:
            self._write_chunks(descriptor, wait_s)
        except BlockingIOError:
            return
        except OSError:
            self._forget()

    def _write_text(self, stream: TextIO) -> None:
        with suppress(AttributeError, OSError, ValueError):
            stream.write(b"".join(self._lines).decode(errors="replace"))
            stream.flush()
        self._forget()

    def _write_chunks(self, descriptor: int, wait_s: float) -> None:
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        ready = select.poll()
        ready.register(descriptor, select.POLLOUT)
        while self._lines and ready.poll(wait_s * 1000):
            chunk = b"".join(self._taken(None if is_file else ATOMIC_BYTES))
            written = 0
            try:
                # A pipe that is ready takes that much; a longer line would wait for its reader.
                written = os.write(descriptor, chunk if is_file else chunk[:ATOMIC_BYTES])
            finally:
                self._size_bytes -= written
                if written < len(chunk):
                    self._lines.appendleft(chunk[written:])

    def _taken(self, limit_bytes: int | None) -> Iterator[bytes]:
        """Take lines off the front: as many as fit, and one at least."""
        size_bytes = 0
        while self._lines:
            size_bytes += len(self._lines[0])
            if size_bytes > len(self._lines[0]) and limit_bytes and size_bytes > limit_bytes:
                return
            yield self._lines.popleft()

    def _forget(self) -> None:
        self._lines.clear()
        self._size_bytes = 0
