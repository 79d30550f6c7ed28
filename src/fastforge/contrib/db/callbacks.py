"""Callbacks: what runs once a transaction has committed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import anyio

__all__ = ["CALLBACKS_LIMIT_S", "Callback", "run_callbacks"]

logger = logging.getLogger("fastforge.contrib.db")

CALLBACKS_LIMIT_S: Final = 1.0
"""What the callbacks of one commit may take together; the answer waits for them."""

Callback = Callable[[], Awaitable[object] | object]


async def run_callbacks(callbacks: list[Callback]) -> None:
    """Run callbacks in order; one that fails is logged, and the commit stands."""
    with anyio.move_on_after(CALLBACKS_LIMIT_S) as limit:
        for callback in callbacks:
            try:
                result = callback()
                if isinstance(result, Awaitable):
                    await result
            except Exception:
                logger.exception("a callback of on_commit failed; the commit stands")
    if limit.cancelled_caught:
        logger.error("the callbacks of one commit took over %g s and were cut", CALLBACKS_LIMIT_S)
