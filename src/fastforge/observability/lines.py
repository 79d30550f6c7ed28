"""Lines: a buffer in front of a stream that never fails, and never holds up, its writers."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import select
import stat
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import Context
from typing import Any, Final, Literal, TextIO, TypeAlias, TypeVar

from ..ending import write_at_end

__all__ = ["ATOMIC_BYTES", "FLUSH_AFTER_S", "LineBuffer"]

logger = logging.getLogger("fastforge.observability")

FLUSH_AFTER_S: Final = 0.05
FLUSH_AT_BYTES: Final = 16 * 1024
"""More would not fit beside everything else into the fastest cache of a processor, from which each
line then pushes what a request needs: 3 us a line. Into a pipe goes a page at a time anyway."""
KEPT_BYTES: Final = 1024 * 1024
"""What is kept for a reader that does not read; lines beyond it are dropped."""
LATE_BYTES: Final = 300
"""What a line is counted as whose length is not known yet."""
LAST_WAIT_S: Final = 1.0
"""How long the end of the process waits for a reader that does not read."""
ATOMIC_BYTES: Final = select.PIPE_BUF
"""What is written into a pipe at once arrives in one piece up to this size."""

T = TypeVar("T")
_Line: TypeAlias = bytes | tuple[Callable[[Any], bytes], Any]
"""A line, or what renders it and of which values."""


class LineBuffer:
    """Collects lines and hands them to a stream: soon, when there are many, or when told to.

    Any thread may write. Several processes may write to the same stream: a line is never cut in
    two by a line of another, in a pipe as long as it is shorter than 4 KiB.

    Surprises: a stream that is closed, or whose disk is full, loses the lines, and nobody hears of
    it: whoever could read that is gone. A pipe that nobody empties is tried again; beyond a
    mebibyte the lines are dropped and counted. A forked process begins with an empty buffer: what
    waited is its parent's to write.

    Args:
        stream: Where they go: a stream, or the name of that of the process, as it is at the moment
            of writing.

    Attributes:
        dropped: How many lines have not been kept for a reader that does not read.
        flush_after_s: How long lines may wait to be written together; 0: none does.
    """

    def __init__(self, stream: TextIO | Literal["stdout", "stderr"] = "stdout") -> None:
        self.dropped = self._told = 0
        self.flush_after_s: float = FLUSH_AFTER_S
        self._stream = stream
        self._lines: deque[_Line] = deque()
        # Two threads may spoil this sum; it is right again as soon as everything is written.
        self._size_bytes = 0
        self._timers: dict[asyncio.AbstractEventLoop, asyncio.TimerHandle] = {}
        self._latest_loop: weakref.ref[asyncio.AbstractEventLoop] | None = None
        self._is_asked = False
        self._closes_at_exit = False
        self._writing = threading.Lock()
        _buffers.add(self)

    def write(self, line: bytes, *, at_once: bool = False) -> None:
        """Take a line, its end included; outside of an event loop it is written at once.

        Args:
            line: The line.
            at_once: Whether it, and what was there before it, may not wait.
        """
        self._take(line, len(line), at_once=at_once)

    def write_late(self, render: Callable[[T], bytes], values: T) -> None:
        """Take a line that is rendered together with others when it is time to write.

        Between two requests each step of rendering has to be fetched from memory anew; for some
        lines together that is done once.

        Args:
            render: Makes the line of the values. It never raises.
            values: What is known of it now.
        """
        self._take((render, values), LATE_BYTES, at_once=False)

    def _take(self, line: _Line, size_bytes: int, *, at_once: bool) -> None:
        if self._size_bytes > KEPT_BYTES and self._is_full():
            self.dropped += 1
            return
        self._lines.append(line)
        self._size_bytes += size_bytes
        if at_once or self._size_bytes > FLUSH_AT_BYTES or not self.flush_after_s:
            self.flush()
            self._retry_soon()
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.flush()
            self._retry_soon()
            return
        if loop not in self._timers:
            self._flush_soon(loop)

    def flush(self) -> None:
        """Write what is there, as far as nobody has to wait for it."""
        self._write(wait_s=0)
        dropped = self.dropped - self._told
        if dropped and not self._lines:
            self._told += dropped  # first: the warning is a line as well
            logger.warning("%d lines were dropped: nobody read them", dropped)

    def close(self) -> None:
        """Write what is there and wait a moment for whoever reads it; more may be written later."""
        timers, self._timers = self._timers, {}
        for timer in timers.values():
            timer.cancel()
        atexit.unregister(self.close)
        self._closes_at_exit = False
        self._write(wait_s=LAST_WAIT_S)

    def _begin_anew(self) -> None:
        """Begin anew in a forked process, where no other thread and no event loop goes on."""
        self._lines.clear()
        self._size_bytes = 0
        self._timers = {}
        self._latest_loop, self._is_asked = None, False
        self._writing = threading.Lock()

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        for ended in [each for each in self._timers if each.is_closed()]:
            del self._timers[ended]  # before its time came
        self._latest_loop = weakref.ref(loop)
        # In a context of its own: the line is that of a request, the others' lines are not.
        self._timers[loop] = loop.call_later(
            self.flush_after_s, self._tick, loop, context=Context()
        )
        if not self._closes_at_exit:  # which keeps each one that it is given
            self._closes_at_exit = True
            atexit.register(self.close)

    def _is_full(self) -> bool:
        """Return whether no more is kept, although it was tried to write what is there."""
        self.flush()
        if not self._lines:
            self._size_bytes = 0  # two threads have spoilt it
        return self._size_bytes > KEPT_BYTES

    def _retry_soon(self) -> None:
        """Let an event loop try again what could not be written: for threads the latest one."""
        if not self._lines or self._is_asked:
            return
        loop = None if self._latest_loop is None else self._latest_loop()
        with suppress(RuntimeError):
            loop = asyncio.get_running_loop()
        if loop is None or loop in self._timers:
            return
        self._is_asked = True
        try:
            loop.call_soon_threadsafe(self._tick, loop, context=Context())
        except RuntimeError:  # it is closed, and the next one does it
            self._is_asked, self._latest_loop = False, None

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timers.pop(loop, None)
        self._is_asked = False
        self.flush()
        if self._lines:
            self._flush_soon(loop)

    def _write(self, *, wait_s: float) -> None:
        """Write what is there, or leave it to the thread that is at it.

        Nobody waits for the other without a limit: neither a thread, nor a signal's handler that
        interrupts it.
        """
        while self._lines and self._writing.acquire(timeout=wait_s):
            try:
                is_over = self._write_all(wait_s)
            finally:
                self._writing.release()
            if not is_over:
                return
            # Another one may have come, and found the lock taken, just before it was released.

    def _write_all(self, wait_s: float) -> bool:
        """Return whether the stream took everything."""
        stream = self._target()
        try:
            descriptor = stream.fileno()
        except (AttributeError, OSError, ValueError):  # none at all, one in memory, a closed one
            self._write_text(stream)
            return True
        try:
            self._write_chunks(descriptor, wait_s)
        except BlockingIOError:
            return False
        except OSError:
            self._forget()
        if self._lines:
            return False
        self._size_bytes = 0
        return True

    def _target(self) -> TextIO:
        if not isinstance(self._stream, str):
            return self._stream
        stream = getattr(sys, self._stream)
        # What is printed may be on its way here; `beneath` is where it would have gone.
        beneath: TextIO = getattr(stream, "beneath", stream)
        return beneath

    def _write_text(self, stream: TextIO) -> None:
        lines = list(self._taken(None))
        self._forget()
        with suppress(AttributeError, OSError, ValueError):
            stream.write(b"".join(lines).decode(errors="replace"))
            stream.flush()

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
            line = self._lines[0]
            if isinstance(line, tuple):
                render, values = line
                line = self._lines[0] = render(values)
            size_bytes += len(line)
            if size_bytes > len(line) and limit_bytes and size_bytes > limit_bytes:
                return
            self._lines.popleft()
            yield line

    def _forget(self) -> None:
        self._lines.clear()
        self._size_bytes = 0


_buffers: Final[weakref.WeakSet[LineBuffer]] = weakref.WeakSet()


def _begin_all_anew() -> None:
    for each in list(_buffers):
        each._begin_anew()


def _close_all() -> None:
    for each in list(_buffers):
        each.close()


write_at_end(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_all_anew)
