"""Lanes: work of one client, in order for each channel, side by side for several."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias

__all__ = ["Lanes"]

logger = logging.getLogger("fastforge.channels")

ENDING_LIMIT_S: Final = 10.0
"""How long the work of a client that is gone may take to end; then nobody waits for it."""

Work: TypeAlias = Callable[[], Awaitable[None]]


class _Lane(NamedTuple):
    waiting: deque[Work]
    task: asyncio.Task[None]


class Lanes:
    """Runs what a client has asked for, one after the other within a lane.

    A lane is a task for as long as there is work in it: an idle client has none. Whoever adds
    work does not wait for it.

    Args:
        size: How much may wait behind other work, in all lanes together.
        most: How many lanes there may be.
    """

    __slots__ = ("_count", "_lanes", "_most", "_size")

    def __init__(self, size: int, *, most: int) -> None:
        self._size = size
        self._most = most
        self._count = 0
        self._lanes: dict[str, _Lane] | None = None  # of an idle client there is nothing

    def __len__(self) -> int:
        return len(self._lanes or ())

    def add(self, lane: str, work: Work) -> bool:
        """Take work; False where too much waits, or too much is under way."""
        if self._lanes is None:
            self._lanes = {}
        found = self._lanes.get(lane)
        if found is None:
            if len(self._lanes) >= self._most:
                return False
            task = asyncio.get_running_loop().create_task(self._run(lane, work))
            self._lanes[lane] = _Lane(deque(), task)
            return True
        if self._count >= self._size:
            return False
        self._count += 1
        found.waiting.append(work)
        return True

    async def _run(self, name: str, work: Work) -> None:
        assert self._lanes is not None
        waiting = self._lanes[name].waiting
        try:
            await work()
            while waiting:
                work = waiting.popleft()
                self._count -= 1
                await work()
        finally:
            self._count -= len(waiting)
            if self._lanes is not None:  # nobody waits for this any more
                del self._lanes[name]
                self._lanes = self._lanes or None

    async def end(self) -> None:
        """Cancel what runs, and wait until it has cleaned up."""
        tasks = [lane.task for lane in (self._lanes or {}).values()]
        for task in tasks:
            task.cancel()
        late: set[asyncio.Task[None]] = set()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=ENDING_LIMIT_S)
        self._lanes = None
        if late:
            logger.warning(
                "%d handlers of a client that is gone do not end although they were cancelled",
                len(late),
            )
