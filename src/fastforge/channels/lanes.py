"""Lanes: work of one client, in order for each channel, side by side for several."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

__all__ = ["Lanes"]

Work: TypeAlias = Callable[[], Awaitable[None]]


class Lanes:
    """Runs what a client has asked for, one after the other within a lane.

    A lane is a task for as long as there is work in it: an idle client has none. Whoever adds
    work does not wait for it.

    Args:
        size: How much may wait in all lanes together.
    """

    __slots__ = ("_count", "_size", "_tasks", "_waiting")

    def __init__(self, size: int) -> None:
        self._size = size
        self._count = 0
        self._waiting: dict[str, deque[Work]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, lane: str, work: Work) -> bool:
        """Take work; False where too much waits."""
        if self._count >= self._size:
            return False
        self._count += 1
        waiting = self._waiting.get(lane)
        if waiting is not None:
            waiting.append(work)
            return True
        self._waiting[lane] = deque((work,))
        task = asyncio.get_running_loop().create_task(self._run(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _run(self, lane: str) -> None:
        waiting = self._waiting[lane]
        try:
            while waiting:
                work = waiting.popleft()
                self._count -= 1
                await work()
        finally:
            self._count -= len(waiting)
            del self._waiting[lane]

    async def end(self) -> None:
        """Cancel what runs, and wait until it has cleaned up."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
