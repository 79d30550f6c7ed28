"""Desk: what becomes of a client's requests: it joins, leaves, and is heard."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Final

from fastapi.exceptions import HTTPException
from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python
from starlette.types import Scope

from ..exceptions import ForgeError
from ..lifecycle import Container
from ..observability.access import NOTES
from ..observability.metrics.requests import UNMATCHED
from .channel import Channel
from .codes import UNAUTHENTICATED
from .connection import Principal
from .errors import ChannelUnavailable
from .frames import Frame, control
from .guarding import ChannelGuard, Unknown
from .hub import Hub
from .measured import about, handling, outcome_of, shown_name, tell_user
from .membership import Membership
from .messages import type_of
from .patterns import Pattern
from .requests import Authenticate, Join, Leave, Push, Ref, Request
from .room import Room
from .socket import ClientSocket

__all__ = ["Desk"]

logger = logging.getLogger("fastforge.channels")

FAILED: Final = 500
MOST_TOLD: Final = 16
"""So many names of those that a client has joined stand in its access line."""

_NO_MESSAGE: Final = "there is no such channel, or you may not join it"


class Desk:
    """Serves one client.

    Args:
        container: The running project.
        hub: The rooms of this process.
        socket: The client's.
        guards: Who knows whose a token is.

    Attributes:
        joined: The names that the client has joined first, for its access line.
        joins: How often it has joined anything.
    """

    __slots__ = ("_container", "_guards", "_hub", "_memberships", "_socket", "joined", "joins")

    def __init__(
        self, container: Container, hub: Hub, socket: ClientSocket, guards: tuple[ChannelGuard, ...]
    ) -> None:
        self._container = container
        self._guards = guards
        self._hub = hub
        self._memberships: dict[str, Membership] = {}
        self._socket = socket
        self.joined: Final[list[str]] = []
        self.joins = 0

    def take(self, socket: ClientSocket, request: Request) -> bool:
        """Let a request be worked on, behind those for the same channel."""
        if isinstance(request, Authenticate):
            return socket.lanes.add("", partial(self._authenticate, request))
        assert isinstance(request, Join | Leave | Push)
        work = {Join: self._join, Leave: self._leave, Push: self._push}[type(request)]
        return socket.lanes.add(request.channel, partial(self._guarded, work, request))

    async def join(self, request: Join) -> None:
        """Join at once; what goes wrong is raised."""
        with self._about(request.channel):
            await self._join(request)

    def note(self, scope: Scope) -> None:
        """Let the access line of the client say what it was, and what it has joined."""
        connection = self._socket.connection
        tell_user(self._container, connection)
        notes = {"connection_id": connection.id, "channels": self.joined, "joins": self.joins}
        scope["state"][NOTES] = notes

    async def end(self) -> None:
        """Leave everything: the client is gone."""
        for membership in list(self._memberships.values()):
            with self._about(membership.name):
                await self._left(membership)

    # --- who it is ---

    async def _authenticate(self, request: Authenticate) -> None:
        user = await known_by_token(self._guards, request.token)
        before = self._socket.connection.user
        if user is None:
            self._socket.close(UNAUTHENTICATED, "the token is not good")
        elif before is not None and before.id != user.id:
            self._socket.refuse(request.ref, "other_user", "open another socket for another user")
        elif not self._hub.admit(self._socket, user):
            self._socket.overloaded("this user has too many sockets")
        else:
            self._socket.is_known_anew()
            self._socket.answer(control("ok", ref=request.ref))

    # --- rooms ---

    async def _join(self, request: Join) -> None:
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
        if name in self._memberships:
            await self._left(self._memberships[name])
        channel = await self._admitted(name)
        if channel is None:
            code = "forbidden" if socket.connection.user is not None else "unauthenticated"
            socket.refuse(request.ref, code, _NO_MESSAGE, channel=name)
            return False
        # Not before: several may be admitted at the same time.
        if len(self._memberships) >= self._hub.config.max_joins:
            socket.refuse(request.ref, "too_many_joins", "leave a channel first", channel=name)
            return False
        socket.has_joined = True  # also where what carries messages is away: it may stay and ask
        membership = Membership(channel, socket.outbox, self._hub.counts.tallies[type(channel)])
        self._memberships[name] = membership
        try:
            room = await self._hub.enter(membership)
            await self._begin(request, membership, room)
        except BaseException:
            self._memberships.pop(name, None)
            self._hub.leave(membership)
            raise
        if channel.bounds.presence:
            await self._hub.presence.come(channel)
        await self._tell(channel, "joined")
        return True

    async def _admitted(self, name: str) -> Channel | None:
        """Return the client's object for a channel, if it may join."""
        found = self._hub.channel_of(name)
        if found is None:
            return None
        kind, parameters = found
        channel = kind(self._socket.connection, name, parameters)
        if kind.authorizer is None or await kind.authorizer.call(self._container, channel) is True:
            return channel
        return None

    async def _begin(self, request: Join, membership: Membership, room: Room) -> None:
        recalled = await self._hub.recall(room, after=request.last_id, epoch=request.epoch)
        # What a client has said to others on a socket that is gone is not news to it either.
        own = {membership.connection_id, *request.was}
        messages = recalled.messages if recalled.is_complete else ()
        missed = [room.frame(each) for each in messages if each.exclude not in own]
        answer = control(
            "joined",
            ref=request.ref,
            channel=room.name,
            epoch=recalled.epoch,
            last_id=recalled.last_id,
            recovered=None if request.last_id is None else recalled.is_complete,
            history=membership.channel.bounds.history or None,
        )
        membership.begin(answer, missed, recalled.last_id)

    async def _leave(self, request: Leave) -> None:
        membership = self._memberships.get(request.channel)
        if membership is None:
            self._socket.refuse(request.ref, "not_joined", "join it first", channel=request.channel)
            return
        await self._left(membership)
        self._socket.answer(control("left", ref=request.ref, channel=request.channel))

    async def _left(self, membership: Membership) -> None:
        self._memberships.pop(membership.name, None)
        self._hub.leave(membership)
        try:
            if membership.channel.bounds.presence:
                await self._hub.presence.go(membership.channel)
            await self._tell(membership.channel, "left")
        except Exception:
            logger.exception("%s.left failed", type(membership.channel).__qualname__)

    async def _tell(self, channel: Channel, what: str) -> None:
        handler = channel.hooks.get(what)
        if handler is not None:
            await handler.call(self._container, channel)

    def _pattern_of(self, name: str) -> Pattern | None:
        """Return the pattern that a name belongs to; None for that of no channel."""
        membership = self._memberships.get(name)
        if membership is not None:
            return membership.channel.pattern
        found = self._hub.channel_of(name)
        return None if found is None else found[0].pattern

    def _about(self, name: str) -> AbstractContextManager[None]:
        connection = self._socket.connection
        return about(self._container, connection, name, self._pattern_of(name))

    # --- messages ---

    async def _push(self, request: Push) -> None:
        membership = self._memberships.get(request.channel)
        if membership is None:
            self._socket.refuse(request.ref, "not_joined", "join it first", channel=request.channel)
            return
        channel = membership.channel
        try:
            message = channel.incoming.read(request.data)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_input=False, include_context=False)
            self._refuse_message(request, "the message is not as it has to be", errors)
            return
        except ValueError as error:
            self._refuse_message(request, str(error), None)
            return
        handler = channel.handlers[type(message)]
        with handling(self._container, channel, type_of(message)):
            answer = await handler.call(self._container, channel, message)
        if request.ref is not None:
            self._socket.answer(_ok(request.ref, answer))

    def _refuse_message(self, request: Push, message: str, errors: Any) -> None:
        self._socket.refuse(request.ref, "invalid", message, channel=request.channel, errors=errors)

    async def _guarded(self, work: Any, request: Join | Leave | Push) -> None:
        """Do what was asked for; what goes wrong is the client's answer, and the socket goes on."""
        with self._about(request.channel):
            await self._answered(work, request)

    async def _answered(self, work: Any, request: Join | Leave | Push) -> None:
        refuse = partial(self._socket.refuse, request.ref, channel=request.channel)
        try:
            await work(request)
        except ChannelUnavailable as error:
            refuse("unavailable", error.message)
        except HTTPException as error:
            refuse("refused", str(error.detail), status=error.status_code)
        except ForgeError as error:
            status = getattr(error, "status", FAILED)
            if status >= FAILED:
                logger.exception("a %s of a client failed", type(request).__name__.lower())
                refuse("failed", "it could not be done")
            else:
                refuse("refused", error.message, status=status)
        except Exception:
            logger.exception("a %s of a client failed", type(request).__name__.lower())
            refuse("failed", "it could not be done")


async def known_by_token(guards: tuple[ChannelGuard, ...], token: str) -> Principal | None:
    """Return whose token that is; None: nobody's."""
    for guard in guards:
        if guard.by_token is None:
            continue
        try:
            user = await guard.by_token(token)
        except Unknown:
            return None
        if user is not None:
            return user
    return None


def _ok(ref: Ref, answer: object) -> Frame:
    if isinstance(answer, BaseModel):
        answer = answer.model_dump(mode="json", by_alias=True)
    return control("ok", ref=ref, data=to_jsonable_python(answer))
