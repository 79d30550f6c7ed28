"""Hearing: the one connection by which a process hears, kept up as long as the process lives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import Context

from ....lifecycle import Breaker

__all__ = ["Hearing"]


class Hearing:
    """Hears, and goes on when the server was away, was frozen or is new.

    Args:
        listen: Hears until the connection is lost, and calls what it is given when it begins to.
        lost: Called when it is heard again, and something may have been missed.
        breaker: Says that nothing is heard, and how long to wait until the next attempt.

    Attributes:
        deaf_since: Since when it is not heard, by `time.monotonic`; None where nobody listens.
        failure: Why it is not.
        is_connected: Whether what is said is heard.
        reconnects: How often a connection took the place of another.
    """

    def __init__(
        self,
        listen: Callable[[Callable[[], None]], Awaitable[None]],
        *,
        lost: Callable[[], None],
        breaker: Breaker,
    ) -> None:
        self.deaf_since: float | None = None
        self.failure: Exception | None = None
        self.is_connected = False
        self.reconnects = 0
        self._breaker = breaker
        self._has_been_connected = False
        self._listen = listen
        self._lost = lost
        self._heard_again = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether something was missed that nobody was told of yet."""
        return self._has_been_connected and not self.is_connected

    async def ready(self) -> None:
        """Return once what is said is heard.

        Surprises: while the server is away it waits. Whoever does not want to, sets a limit.
        """
        if self._task is None:  # a process in which nobody joins anything has no such connection
            self.deaf_since = time.monotonic()
            self._task = asyncio.create_task(
                self._run(),
                name="channels: hear",
                context=Context(),  # it is not the work of whoever was the first to join
            )
        await self._heard_again.wait()

    async def close(self) -> None:
        """Hear nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        """Hear, for ever: it ends by being cancelled alone."""
        while True:
            try:
                await self._listen(self._began)
            except Exception as error:
                self._lose(error)
            await self._breaker.next_try()  # not all processes at once

    def _began(self) -> None:
        self.is_connected, self.failure, self.deaf_since = True, None, None
        self._heard_again.set()
        self._breaker.succeeded()
        if self._has_been_connected:
            self.reconnects += 1
            self._lost()
        self._has_been_connected = True

    def _lose(self, error: Exception) -> None:
        if self.is_connected:
            self.deaf_since = time.monotonic()
        self.is_connected, self.failure = False, error
        self._heard_again.clear()
        self._breaker.lost(error)
