"""Callbacks: what runs once a transaction has committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import anyio

__all__ = ["CALLBACKS_LIMIT_S", "Callback", "OnCommit", "run_callbacks"]

logger = logging.getLogger("fastforge.contrib.db")

CALLBACKS_LIMIT_S: Final = 1.0
"""What the callbacks of one commit may take together; the answer waits for them."""

Callback = Callable[[], Awaitable[object] | object]


@dataclass(frozen=True, slots=True)
class OnCommit:
    """A callback that waits for a commit.

    Attributes:
        callback: The function, plain or async.
        robust: Whether those after it run also when it fails.
    """

    callback: Callback
    robust: bool


async def run_callbacks(waiting: Sequence[OnCommit]) -> None:
    """Run callbacks in order; one that fails is logged, and the commit stands."""
    done = 0
    with anyio.move_on_after(CALLBACKS_LIMIT_S) as limit:
        for each in waiting:
            ended_well = await _run(each.callback, limit)
            done += 1
            if not (ended_well or each.robust):
                break
    if limit.cancelled_caught:
        logger.error(
            "the callbacks of one commit took over %g s and were cut; %d of %d did not run",
            CALLBACKS_LIMIT_S,
            len(waiting) - done - 1,
            len(waiting),
        )
    elif done < len(waiting):
        logger.error("%d callbacks after it did not run", len(waiting) - done)


async def _run(callback: Callback, limit: anyio.CancelScope) -> bool:
    try:
        result = callback()
        if isinstance(result, Awaitable):
            await result
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if limit.cancel_called or (task is not None and task.cancelling()):
            raise
        logger.exception("a callback of on_commit was cancelled; the commit stands")
    except Exception:
        logger.exception("a callback of on_commit failed; the commit stands")
    else:
        return True
    return False
