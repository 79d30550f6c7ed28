"""Memberships: the channels that one client has joined, how it comes to them, and goes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final

from ...lifecycle import Container
from ...observability.metrics.requests import UNMATCHED
from ..declaring.channel import Channel
from ..declaring.patterns import Pattern
from ..errors import ChannelError
from ..rooms.hub import Hub
from ..rooms.measured import about, outcome_of, shown_name
from ..rooms.membership import Membership
from ..sockets.requests import Join, Leave, Push
from ..sockets.socket import ClientSocket
from ..waiting.frames import Frame, control

if TYPE_CHECKING:
    from ..rooms.room import Room

__all__ = ["Memberships"]

logger = logging.getLogger("fastforge.channels")

LEAVING_LIMIT_S: Final = 10.0
"""How long `left` of a channel may take."""
MOST_TOLD: Final = 16
"""So many names of those that a client has joined stand in its access line."""

_NO_MESSAGE: Final = "there is no such channel, or you may not join it"


class Memberships:
    """Lets one client into channels, and out of them.

    Args:
        container: The running project.
        hub: The rooms of this process.
        socket: The client's.

    Attributes:
        joined: The names that the client has joined first, for its access line.
        joins: How often it has joined anything.
    """

    __slots__ = ("_container", "_found", "_hub", "_socket", "joined", "joins")

    def __init__(self, container: Container, hub: Hub, socket: ClientSocket) -> None:
        self._container = container
        self._found: dict[str, Membership] = {}
        self._hub = hub
        self._socket = socket
        self.joined: Final[list[str]] = []
        self.joins = 0

    def of(self, request: Join | Leave | Push) -> Membership | None:
        """Return the membership that a request is about; a client without it is told so."""
        membership = self._found.get(request.channel)
        if membership is None:
            self._socket.refuse(request.ref, "not_joined", "join it first", channel=request.channel)
        return membership

    def about(self, name: str) -> AbstractContextManager[None]:
        """Let the log lines of what runs inside say which channel it is about, and whose."""
        connection = self._socket.connection
        return about(self._container, connection, name, self._pattern_of(name))

    async def join(self, request: Join) -> None:
        """Join, and answer; what goes wrong is raised."""
        outcome = "refused"
        try:
            if await self._try_to_join(request):
                outcome = "joined"
                self._note(request.channel)
        except BaseException as error:
            outcome = outcome_of(error)
            raise
        finally:
            pattern = self._pattern_of(request.channel)
            self._hub.counts.joins[UNMATCHED if pattern is None else pattern.text, outcome] += 1

    def _note(self, name: str) -> None:
        pattern = self._pattern_of(name)
        shown = name if pattern is None else shown_name(name, pattern)
        self.joins += 1
        if len(self.joined) < MOST_TOLD and shown not in self.joined:
            self.joined.append(shown)

    async def _try_to_join(self, request: Join) -> bool:
        """Join; return False where the client has been answered that it may not."""
        name, socket = request.channel, self._socket
        if name in self._found:
            await self._left(self._found[name])
        channel = await self._admitted(name)
        if channel is None:
            code = "forbidden" if socket.connection.user is not None else "unauthenticated"
            socket.refuse(request.ref, code, _NO_MESSAGE, channel=name)
            return False
        # Not before: several may be admitted at the same time.
        if len(self._found) >= self._hub.config.max_joins:
            socket.refuse(request.ref, "too_many_joins", "leave a channel first", channel=name)
            return False
        socket.has_joined = True  # also where what carries messages is away: it may stay and ask
        membership = Membership(channel, socket.outbox, self._hub.counts.tallies[type(channel)])
        if socket.comes_back and channel.bounds.history and membership.overflow != "conflate":
            membership.overflow = "disconnect"
        self._found[name] = membership
        try:
            await self._enter(request, membership)
        except BaseException:
            self._found.pop(name, None)
            self._hub.leave(membership)
            raise
        try:
            await self._tell(channel, "joined")
        except Exception:  # it has joined all the same, and was told so
            logger.exception("%s.joined failed", type(channel).__qualname__)
        return True

    async def _admitted(self, name: str) -> Channel | None:
        """Return the client's object for a channel, if it may join."""
        found = self._hub.channel_of(name)
        if found is None:
            return None
        kind, parameters = found
        channel = kind(self._socket.connection, name, parameters)
        if kind.authorizer is None:
            return channel
        answer = await kind.authorizer.call(self._container, channel)
        if not isinstance(answer, bool):
            raise ChannelError(
                f"{kind.__qualname__}.authorize has returned {answer!r:.80}",
                code="channels.E017",
                hint="return True or False; nobody was let in",
            )
        return channel if answer else None

    async def _enter(self, request: Join, membership: Membership) -> None:
        """Let a client in: what fails here fails before it was told anything."""
        room = await self._hub.enter(membership)
        channel, state = membership.channel, None
        if channel.bounds.presence:
            state = await self._hub.presence.come(channel)
        try:
            await self._begin(request, membership, room, state)
        except BaseException:
            if state is not None:
                await self._hub.presence.go(channel)
            raise

    async def _begin(
        self, request: Join, membership: Membership, room: Room, state: Frame | None
    ) -> None:
        recalled = await self._hub.recall(room, after=request.last_id, epoch=request.epoch)
        # What a client has said to others on a socket that is gone is not news to it either.
        own = {membership.connection_id, *request.was}
        news = [each for each in recalled.messages if each.exclude not in own]
        size_bytes = sum(len(each.data) for each in news)
        is_told = recalled.is_complete and size_bytes <= self._hub.config.replay_bytes
        missed = [room.frame(each) for each in news] if is_told else []
        answer = control(
            "joined",
            ref=request.ref,
            channel=room.name,
            epoch=recalled.epoch,
            last_id=recalled.last_id,
            recovered=None if request.last_id is None else is_told,
            history=membership.channel.bounds.history or None,
        )
        membership.begin(answer, missed, recalled.last_id, state=state)

    async def leave(self, request: Leave) -> None:
        """Leave, and answer."""
        membership = self.of(request)
        if membership is not None:
            await self._left(membership)
            self._socket.answer(control("left", ref=request.ref, channel=request.channel))

    async def end(self) -> None:
        """Leave everything: the client is gone.

        First it is in no room any more, which nothing can keep it from; then those are told who
        want to know, however long the first of them takes.
        """
        memberships = [*self._found.values()]
        self._found.clear()
        for membership in memberships:
            self._hub.leave(membership)
        await asyncio.gather(*(self._farewell(each) for each in memberships if _is_missed(each)))

    async def _left(self, membership: Membership) -> None:
        self._found.pop(membership.name, None)
        self._hub.leave(membership)
        await self._farewell(membership)

    async def _farewell(self, membership: Membership) -> None:
        """Tell those who want to know that somebody has left, each whatever becomes of others."""
        channel = membership.channel
        with self.about(membership.name):
            try:
                async with asyncio.timeout(LEAVING_LIMIT_S):
                    if channel.bounds.presence:
                        await self._hub.presence.go(channel)
                    await self._tell(channel, "left")
            except Exception:
                logger.exception("%s.left failed", type(channel).__qualname__)

    async def _tell(self, channel: Channel, what: str) -> None:
        handler = channel.hooks.get(what)
        if handler is not None:
            await handler.call(self._container, channel)

    def _pattern_of(self, name: str) -> Pattern | None:
        """Return the pattern that a name belongs to; None for that of no channel."""
        membership = self._found.get(name)
        if membership is not None:
            return membership.channel.pattern
        found = self._hub.channel_of(name)
        return None if found is None else found[0].pattern


def _is_missed(membership: Membership) -> bool:
    channel = membership.channel
    return channel.bounds.presence or "left" in channel.hooks
