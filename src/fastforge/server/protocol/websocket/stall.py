"""Stall: a client for which something waits, and which takes nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from ..wire import untaken_bytes

__all__ = ["Stall"]


class Stall:
    """Looks again and again whether a client has taken anything, until it is told to stop.

    Args:
        loop: The event loop.
        transport: The connection.
        limit_s: How long the client may take nothing, in seconds.
        in_all_s: How long it may take over all of it, in seconds.
        give_up: Is called when it has taken too long.
    """

    __slots__ = ("_give_up", "_left_s", "_limit_s", "_loop", "_timer", "_transport", "_untaken")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        *,
        limit_s: float,
        in_all_s: float = inf,
        give_up: Callable[[], None],
    ) -> None:
        self._give_up = give_up
        self._left_s = in_all_s
        self._limit_s = limit_s
        self._loop = loop
        self._transport = transport
        self._untaken = untaken_bytes(transport)
        self._timer = loop.call_later(limit_s, self._look)

    def stop(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _look(self) -> None:
        untaken = untaken_bytes(self._transport)
        self._left_s -= self._limit_s
        if untaken >= self._untaken or self._left_s <= 0:
            self._give_up()
            return
        self._untaken = untaken
        self._timer = self._loop.call_later(self._limit_s, self._look)
