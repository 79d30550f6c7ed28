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

from .errors import ChannelUnavailable
from .frames import Frame, control

if TYPE_CHECKING:
    from .broker import Broker
    from .channel import Channel
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
        known: Who is there, as the members of this process have been told, and what they show.
        looking: The look that will come, or is under way.
    """

    __slots__ = ("here", "known", "looking")

    def __init__(self) -> None:
        self.here: dict[str, int] = {}
        self.known: dict[str, bytes] = {}
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
        self._members = members
        self._renewing: asyncio.Future[None] | None = None
        self._renewed_at = 0.0

    async def come(self, channel: Channel) -> None:
        """Let somebody be seen; their client is told who is there.

        Where nobody can be told now, they are seen after the next renewal.
        """
        name, key = channel.name, key_of(channel)
        attendance = self._attendances.setdefault(name, Attendance())
        attendance.here[key] = attendance.here.get(key, 0) + 1
        present: Mapping[str, bytes] = attendance.known
        try:
            await self._broker().enter(name, key, orjson.dumps(channel.shown()))
            present = await self._broker().present(name)
        except ChannelUnavailable:
            self.renew_soon()
        if not attendance.known:  # what others are told of is what differs from this
            attendance.known = dict(present)
        channel.connection.send_frame(_state(name, present))
        self.changed(name)

    async def go(self, channel: Channel) -> None:
        """Let somebody be seen no more, once their last socket is gone."""
        name, key = channel.name, key_of(channel)
        attendance = self._attendances.get(name)
        if attendance is None or key not in attendance.here:
            return
        attendance.here[key] -= 1
        if attendance.here[key]:
            return
        del attendance.here[key]
        if not attendance.here:
            self._forget(name)
        try:
            await self._broker().leave(name, key)
        except ChannelUnavailable:
            return  # whoever is not renewed is missing soon

    def changed(self, name: str) -> None:
        """Hear that somebody came to a room, or went; look soon, and once for several."""
        attendance = self._attendances.get(name)
        if attendance is not None and (attendance.looking is None or attendance.looking.done()):
            attendance.looking = asyncio.ensure_future(self._look(name, attendance))

    def tick(self, now: float) -> None:
        """Say that this process is there, and look who else is; somebody calls it all the time.

        Args:
            now: What `Clock.monotonic` says.
        """
        is_busy = self._renewing is not None and not self._renewing.done()
        if self._attendances and not is_busy and now - self._renewed_at > RENEWS_EVERY_S:
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
        await asyncio.sleep(PAUSE_S)
        try:
            present = await self._broker().present(name)
        except ChannelUnavailable:
            return
        before, attendance.known = attendance.known, dict(present)
        came = {key: shown for key, shown in present.items() if before.get(key) != shown}
        gone = {key: shown for key, shown in before.items() if key not in present}
        if came or gone:
            frame = control(
                "presence", channel=name, came=_shown(came) or None, gone=_shown(gone) or None
            )
            for membership in self._members(name).values():
                membership.take(frame)

    async def _renew(self) -> None:
        try:
            await self._broker().renew(
                {name: tuple(each.here) for name, each in self._attendances.items()}
            )
        except ChannelUnavailable:
            self._renewed_at += RENEWS_AGAIN_S - RENEWS_EVERY_S
            return
        for name in tuple(self._attendances):
            self.changed(name)

    def _forget(self, name: str) -> None:
        attendance = self._attendances.pop(name, None)
        if attendance is not None and attendance.looking is not None:
            attendance.looking.cancel()


def key_of(channel: Channel) -> str:
    """Return what makes two sockets one person: the user; without one, the socket itself."""
    user = channel.connection.user
    return f"c:{channel.connection.id}" if user is None else f"u:{user.id}"


def _state(name: str, known: Mapping[str, bytes]) -> Frame:
    return control("presence", channel=name, state=_shown(known))


def _shown(entries: Mapping[str, bytes]) -> list[object]:
    return [orjson.loads(each) for each in entries.values()]
