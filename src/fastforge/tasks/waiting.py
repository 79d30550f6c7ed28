"""Waiting: looks again and again at what another process does, often at first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

__all__ = ["look_until"]

FIRST_PAUSE_S: Final = 0.01
LONGEST_PAUSE_S: Final = 0.5
GROWTH: Final = 1.5

T = TypeVar("T")


async def look_until(
    look: Callable[[], Awaitable[T]],
    is_over: Callable[[T], bool],
    *,
    timeout_s: float | None,
) -> T:
    """Return the first sight that ends the waiting, or the last one when the time is over.

    Args:
        look: Looks.
        is_over: Whether the waiting ends with what was seen.
        timeout_s: How long to wait, in seconds; None for as long as it takes.
    """
    until = float("inf") if timeout_s is None else time.monotonic() + timeout_s
    pause_s = FIRST_PAUSE_S
    while True:
        seen = await look()
        left_s = until - time.monotonic()
        if is_over(seen) or left_s <= 0:
            return seen
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * GROWTH, LONGEST_PAUSE_S)
