"""Lanes: work of one client, in order for each channel, side by side for several."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias

__all__ = ["Lanes"]

Work: TypeAlias = Callable[[], Awaitable[None]]


class _Lane(NamedTuple):
    waiting: deque[Work]
    task: asyncio.Task[None]


class Lanes:
    """Runs what a client has asked for, one after the other within a lane.

    A lane is a task for as long as there is work in it: an idle client has none. Whoever adds
    work does not wait for it.

    Args:
        size: How much may wait in all lanes together.
    """

    __slots__ = ("_count", "_lanes", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._count = 0
        self._lanes: dict[str, _Lane] | None = None  # of an idle client there is nothing

    def add(self, lane: str, work: Work) -> bool:
        """Take work; False where too much waits."""
        if self._count >= self._size:
            return False
        self._count += 1
        if self._lanes is None:
            self._lanes = {}
        found = self._lanes.get(lane)
        if found is not None:
            found.waiting.append(work)
            return True
        task = asyncio.get_running_loop().create_task(self._run(lane))
        self._lanes[lane] = _Lane(deque((work,)), task)
        return True

    async def _run(self, name: str) -> None:
        assert self._lanes is not None
        lane = self._lanes[name]
        try:
            while lane.waiting:
                work = lane.waiting.popleft()
                self._count -= 1
                await work()
        finally:
            self._count -= len(lane.waiting)
            del self._lanes[name]
            if not self._lanes:
                self._lanes = None

    async def end(self) -> None:
        """Cancel what runs, and wait until it has cleaned up."""
        tasks = [lane.task for lane in (self._lanes or {}).values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
