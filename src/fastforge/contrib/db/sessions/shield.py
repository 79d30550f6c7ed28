"""Shield: work that is carried to its end although its task is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio

__all__ = ["shielded"]

T = TypeVar("T")


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Run a commit or a rollback to its end, then let a cancellation that came meanwhile go on.

    Both kinds are held off: those of anyio's scopes and a plain `task.cancel()`.
    """
    task = asyncio.create_task(work)
    cancellation: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:
                cancellation = error
    if cancellation is None:
        return task.result()
    if not task.cancelled():
        cancellation.__context__ = task.exception()
    raise cancellation
