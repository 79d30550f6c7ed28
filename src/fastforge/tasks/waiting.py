"""Waiting: looks again and again at what another process does, often at first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Final, TypeVar

from ..lifecycle import current_container
from ..lifecycle.container import container_here

__all__ = ["look_until"]

FIRST_PAUSE_S: Final = 0.01
LONGEST_PAUSE_S: Final = 0.5
GROWTH: Final = 1.5

T = TypeVar("T")


async def look_until(
    look: Callable[[], Coroutine[Any, Any, T]],
    is_over: Callable[[T], bool],
    *,
    timeout_s: float | None,
) -> T:
    """Return the first sight that ends the waiting, or the last one when the time is over.

    It looks from outside of whatever transaction runs here: what that sees may be as it was when
    it began, and what it has written itself nobody else sees.

    Args:
        look: Looks.
        is_over: Whether the waiting ends with what was seen.
        timeout_s: How long to wait, in seconds; None for as long as it takes.
    """
    outside = Context()
    outside.run(container_here.set, current_container())
    waiting = _look_until(look, is_over, timeout_s)
    return await asyncio.create_task(waiting, context=outside)


async def _look_until(
    look: Callable[[], Coroutine[Any, Any, T]],
    is_over: Callable[[T], bool],
    timeout_s: float | None,
) -> T:
    until = float("inf") if timeout_s is None else time.monotonic() + timeout_s
    pause_s = FIRST_PAUSE_S
    while True:
        seen = await look()
        left_s = until - time.monotonic()
        if is_over(seen) or left_s <= 0:
            return seen
        await asyncio.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * GROWTH, LONGEST_PAUSE_S)
