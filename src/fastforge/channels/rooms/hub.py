"""Hub: the rooms of one process, and the way of a message to those who are in them."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, ref

from ...lifecycle import Container
from ..carrying.broker import Broker, Envelope, Hearing, Kept, Recalled, broker_of
from ..codes import INTERNAL_ERROR
from ..declaring.channel import Channel
from ..declaring.patterns import Pattern
from ..settings import Channels
from ..sockets.clock import SYSTEM, Clock
from ..sockets.socket import ClientSocket
from .catching_up import CatchingUp
from .counts import Counts
from .membership import Membership
from .presence import Presence
from .room import Room
from .users import Users

if TYPE_CHECKING:
    from .publishing import Watcher

__all__ = ["Hub", "hub_of"]

logger = logging.getLogger("fastforge.channels")

LINGER_S: Final = 10.0
"""How long a room stays subscribed when its last member has left: they come and go."""
FRESH_S: Final = 0.01
"""How long what carries messages is taken to be there after it has answered."""

_of_projects: Final[WeakKeyDictionary[Container, Hub]] = WeakKeyDictionary()


class Hub:
    """Keeps the rooms of a process, and subscribes to those that somebody is in.

    Args:
        channels: The classes of the project.
        config: The section.
        find: Gives the broker; asked late, since it opens after those who may use it.

    Attributes:
        clock: What limits in time go by.
        places: How many sockets there are, with those that are being opened.
        users: Whose they are.
        watcher: Is told of each message that is published here; None: nobody is.
    """

    def __init__(
        self, channels: Iterable[type[Channel]], config: Channels, find: Callable[[], Broker]
    ) -> None:
        self.channels: Final = tuple(channels)
        self.clock: Clock = SYSTEM
        self.config: Final = config
        self.counts: Final = Counts(self.channels)
        self.rooms: Final[dict[str, Room]] = {}
        self.places = 0
        self.sockets: Final[set[ClientSocket]] = set()
        self.users: Final = Users(config.per_user)
        self.watcher: Watcher | None = None
        self.presence: Final = Presence(lambda: self.broker, self._members_of)
        self._patterns: Final = [
            (each.pattern, each) for each in self.channels if each.pattern is not None
        ]
        self._find = find
        self._broker: Broker | None = None
        self._proved_at = -math.inf
        self.catching_up: Final = CatchingUp(self._recall_after)

    @property
    def broker(self) -> Broker:
        """What carries messages between processes.

        Raises:
            ChannelError: No installed app declares it.
        """
        broker = self._broker
        if broker is None:
            broker = self._broker = self._find()
            broker.attach(self._deliver, self._missed, self.presence.changed)
        return broker

    @property
    def hearing(self) -> Hearing | None:
        """How well this process hears others; None where nobody has joined anything yet."""
        return None if self._broker is None else self._broker.hearing

    def channel_of(self, name: str) -> tuple[type[Channel], dict[str, Any]] | None:
        """Return the channel that a name belongs to, and its parameters."""
        pattern: Pattern
        for pattern, channel in self._patterns:
            parameters = pattern.match(name)
            if parameters is not None:
                return channel, parameters
        return None

    async def publish(
        self, channel: type[Channel], name: str, data: bytes, exclude: str = ""
    ) -> int:
        """Send a message to every process; return its id.

        Raises:
            ChannelUnavailable: It cannot be sent now; nobody has got it.
        """
        return await self.broker.publish(name, data, exclude=exclude, kept=_kept(channel))

    async def prove(self, name: str) -> None:
        """Find out whether a message that waits for something else first could be sent now.

        Raises:
            ChannelUnavailable: It could not.
        """
        now, hearing = time.monotonic(), self.hearing
        is_deaf = hearing is not None and hearing.deaf_since is not None
        if is_deaf or now - self._proved_at > FRESH_S:
            await self.broker.recall(name, after=None, epoch="", kept=None)
            self._proved_at = now

    # --- who is here ---

    @property
    def is_full(self) -> bool:
        """Whether there is no place for another socket."""
        return self.places >= self.config.max_connections

    def end(self, socket: ClientSocket) -> None:
        """Forget a socket, and whose it was."""
        self.sockets.discard(socket)
        self.counts.ended(socket)
        self.users.forget(socket)

    def tick(self, now: float) -> None:
        """Look after every socket, whatever becomes of one of them."""
        for socket in tuple(self.sockets):
            if socket.due > now:
                continue
            try:
                socket.tick(now)
            except Exception:
                logger.exception("a socket cannot be looked after")
                socket.close(INTERNAL_ERROR, "a fault of the server")
        self.counts.tick(self.sockets, now)
        self.presence.tick(now)

    # --- rooms ---

    async def enter(self, membership: Membership) -> Room:
        """Let a client into its room; when this returns, it misses nothing.

        Raises:
            ChannelUnavailable: The room cannot be subscribed to now.
        """
        room = self._room(membership)
        room.members[membership.connection_id] = membership
        room.tally.members += 1
        if room.leaving is not None:
            room.leaving.cancel()
            room.leaving = None
        subscribed = room.subscribed
        if subscribed is None or _failed(subscribed):
            subscribed = asyncio.ensure_future(self.broker.subscribe(room.name))
            room.subscribed = subscribed
        try:
            # Whoever gives up waiting does not take it from the others.
            await asyncio.shield(subscribed)
        except BaseException:
            self.leave(membership)
            raise
        return room

    def leave(self, membership: Membership) -> None:
        """Let a client out of its room."""
        membership.end()
        room = self.rooms.get(membership.name)
        if room is None or room.members.get(membership.connection_id) is not membership:
            return
        del room.members[membership.connection_id]
        room.tally.members -= 1
        if not room.members:
            loop = asyncio.get_running_loop()
            room.leaving = loop.call_later(LINGER_S, self._close, room)

    async def recall(self, room: Room, *, after: int | None, epoch: str) -> Recalled:
        """Return what a client has missed.

        Raises:
            ChannelUnavailable: The past cannot be read now.
        """
        kept = _kept(room.channel)
        recalled = await self.broker.recall(
            room.name, after=None if kept is None else after, epoch=epoch, kept=kept
        )
        room.stand_at(recalled)
        return recalled

    async def _recall_after(self, room: Room, after: int, epoch: str) -> Recalled:
        return await self.recall(room, after=after, epoch=epoch)

    def close(self) -> None:
        """Forget every room: the process ends."""
        for room in self.rooms.values():
            if room.leaving is not None:
                room.leaving.cancel()
        self.rooms.clear()
        self.presence.close()
        self.catching_up.close()

    def _members_of(self, name: str) -> Mapping[str, Membership]:
        room = self.rooms.get(name)
        return {} if room is None else room.members

    def _room(self, membership: Membership) -> Room:
        room = self.rooms.get(membership.name)
        if room is None:
            room = Room(membership.name, type(membership.channel), membership.tally)
            self.rooms[room.name] = room
        return room

    def _close(self, room: Room) -> None:
        if not room.members and self.rooms.get(room.name) is room:
            del self.rooms[room.name]
            if room.subscribed is not None:
                self.broker.unsubscribe(room.name)

    def _deliver(self, envelope: Envelope) -> None:
        room = self.rooms.get(envelope.name)
        if room is not None:
            room.deliver(envelope)

    def _missed(self) -> None:
        self.presence.renew_soon()
        self.catching_up.begin(self.rooms.values())


def hub_of(container: Container) -> Hub:
    """Return the rooms of a running project in this process."""
    hub = _of_projects.get(container)
    if hub is None:
        # The hub must not keep the container alive that it is found by.
        find = partial(_broker_of, ref(container))
        channels: tuple[type[Channel], ...] = container.registry.values("channels")
        hub = Hub(channels, container.settings.section(Channels), find)
        _of_projects[container] = hub
    return hub


def _broker_of(container: ref[Container]) -> Broker:
    found = container()
    assert found is not None
    return broker_of(found)


def _kept(channel: type[Channel]) -> Kept | None:
    bounds = channel.bounds
    return Kept(bounds.history, bounds.history_ttl_s) if bounds.history else None


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
