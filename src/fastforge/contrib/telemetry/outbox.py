"""Outbox: what waits to be sent, and the thread that sends it.

The SDK's own processors retry inside one export, block their flush for as long as that takes, and
write a line and a traceback for each failure. Here a collector that is away costs a bounded queue
and one line.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar

from ..._utils import told
from .sending import NotTaken, Sender
from .state import ExportState

__all__ = ["Outbox"]

T = TypeVar("T")

LONGEST_PAUSE_S: Final = 30.0
LEAST_TIMEOUT_S: Final = 0.01


class Outbox(Generic[T]):
    """A bounded queue and its thread.

    `put` is called by whoever ends a span, and does not wait: when the queue is full the oldest
    is lost. In a process that was forked after `open` nothing is sent.

    Args:
        sender: Sends.
        state: Is told of what becomes of it.
        encode: Makes one body of some of them, in the thread.
        size: How many wait at most.
        batch_size: How many are sent at once.
        interval_s: How long they are collected.
        timeout_s: The time limit of one export.
        read: Gives what is sent in place of what has been put, for what is only ever as new as
            the moment of its export.
    """

    def __init__(
        self,
        sender: Sender,
        state: ExportState,
        encode: Callable[[Sequence[T]], bytes],
        *,
        size: int,
        batch_size: int,
        interval_s: float,
        timeout_s: float,
        read: Callable[[], T] | None = None,
    ) -> None:
        self._sender = sender
        self._state = state
        self._encode = encode
        self._waiting: deque[T] = deque(maxlen=size)
        self._size = size
        self._batch_size = min(batch_size, size)
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._read = read
        self._wake = threading.Event()
        self._deadline: float | None = None
        self._failures = 0
        self._in_flight = 0
        self._ended = asyncio.Event()

    def open(self) -> None:
        """Begin to send, until `close`, which is for the same event loop."""
        threading.Thread(
            target=self._run,
            args=(asyncio.get_running_loop(),),
            name="fastforge telemetry",
            daemon=True,  # an export that hangs holds no process up
        ).start()

    def put(self, item: T) -> None:
        """Add one to what is sent."""
        waiting = self._waiting
        if len(waiting) == self._size:
            self._state.lost += 1
        waiting.append(item)
        # Not while it fails: each span would be one more attempt.
        if len(waiting) >= self._batch_size and not self._failures:
            self._wake.set()

    async def close(self, limit_s: float) -> None:
        """Send what is left within a time limit; an export that hangs is left behind."""
        self._deadline = time.monotonic() + limit_s
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._ended.wait()
        self._state.ended(len(self._waiting) + self._in_flight)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._deadline is None:
            self._wake.wait(self._pause_s())
            self._wake.clear()
            if self._read is not None:
                self._waiting.append(self._read())
            self._send_all()
        with suppress(RuntimeError):  # the loop has ended without us
            loop.call_soon_threadsafe(self._ended.set)

    def _pause_s(self) -> float:
        longest_s = max(LONGEST_PAUSE_S, self._interval_s)
        return min(longest_s, self._interval_s * float(2**self._failures))

    def _send_all(self) -> None:
        while self._waiting and self._left_s() > 0:
            count = min(len(self._waiting), self._batch_size)
            batch = [self._waiting.popleft() for _ in range(count)]
            self._in_flight = count
            is_taken = self._send(batch)
            self._in_flight = 0
            if not is_taken:
                return

    def _send(self, batch: list[T]) -> bool:
        try:
            body = self._encode(batch)
            timeout_s = max(LEAST_TIMEOUT_S, min(self._timeout_s, self._left_s()))
            self._sender.send(body, timeout_s=timeout_s)
        except NotTaken as error:
            self._keep(batch) if error.may_pass else self._lose(len(batch))
            self._state.failed(error)
        except Exception as error:  # of an attribute that cannot be encoded, say
            self._lose(len(batch))
            self._state.failed(NotTaken(told(error), may_pass=False))
        else:
            self._failures = 0
            self._state.succeeded()
            return True
        self._failures = min(self._failures + 1, 16)
        return False

    def _left_s(self) -> float:
        deadline = self._deadline
        return self._timeout_s if deadline is None else deadline - time.monotonic()

    def _keep(self, batch: list[T]) -> None:
        """Put back what was not taken, as far as there is room: what is newer goes before it."""
        room = self._size - len(self._waiting)
        self._lose(max(0, len(batch) - room))
        for item in reversed(batch[-room:] if room else []):
            if len(self._waiting) < self._size:
                self._waiting.appendleft(item)

    def _lose(self, count: int) -> None:
        self._state.lost += count
