"""Sharing: one question for all who ask the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

__all__ = ["Shared"]

T = TypeVar("T")


class Shared(Generic[T]):
    """Gives an answer that was asked for after the call, and asks once for all who wait.

    Thousands of clients who come back at once all ask where the messages stand.

    Args:
        ask: Asks.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asking: asyncio.Future[T] | None = None
        self._next: asyncio.Future[T] | None = None

    async def get(self) -> T:
        """Return an answer; the one that is under way may be older than this call.

        Raises:
            Exception: Whatever asking raises.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._after(self._asking))
            self._next.add_done_callback(_see)
        # Whoever gives up waiting does not take it from the others.
        return await asyncio.shield(self._next)

    async def _after(self, before: asyncio.Future[T] | None) -> T:
        if before is not None:
            await asyncio.wait({before})
        self._asking, self._next = self._next, None
        return await self._ask()


def _see(answer: asyncio.Future[Any]) -> None:
    """Take note of an error: nobody may be waiting any more."""
    if not answer.cancelled():
        answer.exception()
