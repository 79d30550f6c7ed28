"""Catching up: what a process has missed of its rooms, before what comes in meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final, TypeAlias

from ..carrying.broker import Recalled
from ..errors import ChannelUnavailable
from .room import Room

__all__ = ["CatchingUp"]

logger = logging.getLogger("fastforge.channels")

LONGEST_S: Final = 5.0
"""How long the past is asked for: what carries messages may do one thing sooner than another."""
PAUSE_S: Final = 0.1
AT_ONCE: Final = 8
"""In how many rooms what was missed is asked for at the same time; the others wait in line."""

_Waiting: TypeAlias = "deque[tuple[Room, str, int]]"
"""Rooms that keep back what comes in, each with its epoch and its last id."""


class CatchingUp:
    """Gives the rooms of a process what they have missed, or tells that something is missing.

    Args:
        recall: Returns what a room has missed, after an id of an epoch.

    Attributes:
        running: What does it; None: nothing was ever missed.
    """

    def __init__(self, recall: Callable[[Room, int, str], Awaitable[Recalled]]) -> None:
        self.running: asyncio.Future[None] | None = None
        self._recall = recall

    def begin(self, rooms: Iterable[Room]) -> None:
        """Hear that something may have been said in rooms that has not come in.

        Those with a history keep back what comes in from now on, until what was missed is there.
        """
        waiting: _Waiting = deque()
        told = 0
        for room in rooms:
            if room.members and room.channel.bounds.history and room.epoch:
                room.hold()
                waiting.append((room, room.epoch, room.last_id))
            elif room.members:
                room.tell_of_gap()
                told += 1
        logger.info(
            "messages of channels may have been missed: %d rooms ask for them, and the members of"
            " %d, which have no history, were told of a gap",
            len(waiting),
            told,
        )
        self.running = asyncio.ensure_future(self._catch_up(self.running, waiting))

    def close(self) -> None:
        """End it: the process ends."""
        if self.running is not None:
            self.running.cancel()

    async def _catch_up(self, before: asyncio.Future[None] | None, waiting: _Waiting) -> None:
        try:
            if before is not None:
                await asyncio.gather(before, return_exceptions=True)
            until = asyncio.get_running_loop().time() + LONGEST_S
            await asyncio.gather(*(self._replay(waiting, until) for _ in range(AT_ONCE)))
        finally:
            for room, _, _ in waiting:
                room.go_on(None)

    async def _replay(self, waiting: _Waiting, until: float) -> None:
        while waiting:
            room, epoch, last_id = waiting.popleft()
            recalled: Recalled | None = None
            try:
                recalled = await self._recall_within(until, room, last_id, epoch)
            finally:
                room.go_on(recalled)

    async def _recall_within(
        self, until: float, room: Room, after: int, epoch: str
    ) -> Recalled | None:
        while True:
            with suppress(ChannelUnavailable):
                return await self._recall(room, after, epoch)
            if asyncio.get_running_loop().time() > until:
                return None
            await asyncio.sleep(PAUSE_S)
