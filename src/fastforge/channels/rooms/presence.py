"""Presence: who is in a room, over all processes; somebody with two sockets is there once.

The broker has who is there. A change of it is only a sign to look again, which each process does at
most every now and then, and tells its members what is different. So nobody stays who is gone: a
process that has died is not renewed, and is missing when somebody looks.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import orjson

from ..errors import ChannelUnavailable
from ..waiting.frames import Frame, control

if TYPE_CHECKING:
    from ..carrying.broker import Broker
    from ..declaring.channel import Channel
    from .membership import Membership

__all__ = ["Attendance", "Presence", "key_of"]

logger = logging.getLogger("fastforge.channels")

PAUSE_S: Final = 0.2
"""How long after a look the next one is, however much changes."""
RENEWS_EVERY_S: Final = 10.0
"""How often a process says that it is there."""
RENEWS_AGAIN_S: Final = 1.0
"""How soon after it could not."""


class Attendance:
    """Who is in one room.

    Attributes:
        here: How many sockets each has in this process.
        is_stale: Whether something has changed since the last look.
        known: Who is there, as the members of this process have been told, and what they show.
        lock: Lets one change of this process be told at a time, so that none overtakes another.
        looking: The look that will come, or is under way.
    """

    __slots__ = ("here", "is_stale", "known", "lock", "looking")

    def __init__(self) -> None:
        self.here: dict[str, int] = {}
        self.is_stale = False
        self.known: dict[str, bytes] = {}
        self.lock: Final = asyncio.Lock()
        self.looking: asyncio.Future[None] | None = None


class Presence:
    """Lets the rooms of a process know who is in them, and tells the others who is here.

    Args:
        broker: Gives what keeps it for all processes.
        members: Gives the members of a room in this process.
    """

    def __init__(
        self, broker: Callable[[], Broker], members: Callable[[str], Mapping[str, Membership]]
    ) -> None:
        self._attendances: dict[str, Attendance] = {}
        self._broker = broker
        self._gone: set[tuple[str, str]] = set()  # of whom the broker has not heard yet
        self._keys: dict[Channel, str] = {}
        self._members = members
        self._renewing: asyncio.Future[None] | None = None
        self._renewed_at = 0.0

    async def come(self, channel: Channel) -> Frame:
        """Let somebody be seen; return who is there, for their client.

        Where nobody can be told now, they are seen after the next renewal.
        """
        name, key, shown = channel.name, key_of(channel), orjson.dumps(channel.shown())
        self._keys[channel] = key  # who it is may be known better later
        attendance = self._attendances.setdefault(name, Attendance())
        attendance.here[key] = attendance.here.get(key, 0) + 1
        present: Mapping[str, bytes] = attendance.known
        try:
            async with attendance.lock:
                await self._broker().enter(name, key, shown)
                self._gone.discard((name, key))
                present = await self._broker().present(name)
        except ChannelUnavailable:
            self.renew_soon()
        except BaseException:
            await self.go(channel)
            raise
        if not attendance.known:  # what others are told of is what differs from this
            attendance.known = dict(present)
        self.changed(name)
        return control("presence", channel=name, state=_shown(present))

    async def go(self, channel: Channel) -> None:
        """Let somebody be seen no more, once their last socket is gone."""
        name, key = channel.name, self._keys.pop(channel, None)
        attendance = self._attendances.get(name)
        if key is None or attendance is None:
            return
        attendance.here[key] -= 1
        if attendance.here[key]:
            return
        del attendance.here[key]
        self._gone.add((name, key))
        try:
            async with attendance.lock:
                if key not in attendance.here:
                    await self._leave(name, key)
        finally:
            if not attendance.here and self._attendances.get(name) is attendance:
                self._forget(name)

    async def _leave(self, name: str, key: str) -> None:
        try:
            await self._broker().leave(name, key)
        except ChannelUnavailable:
            return  # it is tried again
        self._gone.discard((name, key))

    def changed(self, name: str) -> None:
        """Hear that somebody came to a room, or went; look soon, and once for several."""
        attendance = self._attendances.get(name)
        if attendance is None:
            return
        attendance.is_stale = True
        if attendance.looking is None or attendance.looking.done():
            attendance.looking = asyncio.ensure_future(self._look(name, attendance))

    def tick(self, now: float) -> None:
        """Say that this process is there, and look who else is; somebody calls it all the time.

        Args:
            now: What `Clock.monotonic` says.
        """
        is_busy = self._renewing is not None and not self._renewing.done()
        is_anybody = self._attendances or self._gone
        if is_anybody and not is_busy and now - self._renewed_at > RENEWS_EVERY_S:
            self._renewed_at = now
            self._renewing = asyncio.ensure_future(self._renew())

    def renew_soon(self) -> None:
        """Hear that what knows who is there may have forgotten it."""
        self._renewed_at = -math.inf

    def close(self) -> None:
        """Look no more: the process ends."""
        for name in tuple(self._attendances):
            self._forget(name)
        if self._renewing is not None:
            self._renewing.cancel()

    async def _look(self, name: str, attendance: Attendance) -> None:
        while attendance.is_stale:
            await asyncio.sleep(PAUSE_S)
            attendance.is_stale = False
            try:
                present = await self._broker().present(name)
            except ChannelUnavailable:
                return
            self._tell(name, attendance, dict(present))

    def _tell(self, name: str, attendance: Attendance, present: dict[str, bytes]) -> None:
        """Tell the members of this process what is different from what they know."""
        before, attendance.known = attendance.known, present
        came = {key: shown for key, shown in present.items() if before.get(key) != shown}
        gone = {key: shown for key, shown in before.items() if key not in present}
        if came or gone:
            frame = control(
                "presence", channel=name, came=_shown(came) or None, gone=_shown(gone) or None
            )
            for membership in self._members(name).values():
                membership.take(frame)

    async def _renew(self) -> None:
        here = {name: tuple(each.here) for name, each in self._attendances.items() if each.here}
        try:
            for name, key in tuple(self._gone):
                if key not in here.get(name, ()):
                    await self._leave(name, key)
            if here:
                await self._broker().renew(here)
        except ChannelUnavailable:
            self._renewed_at += RENEWS_AGAIN_S - RENEWS_EVERY_S
            return
        for name in here:
            self.changed(name)

    def _forget(self, name: str) -> None:
        attendance = self._attendances.pop(name, None)
        if attendance is not None and attendance.looking is not None:
            attendance.looking.cancel()


def key_of(channel: Channel) -> str:
    """Return what makes two sockets one person: the user; without one, the socket itself."""
    user = channel.connection.user
    return f"c:{channel.connection.id}" if user is None else f"u:{user.id}"


def _shown(entries: Mapping[str, bytes]) -> list[object]:
    return [orjson.loads(each) for each in entries.values()]
