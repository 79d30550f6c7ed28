"""Desk: what becomes of a client's requests: it joins, leaves, and is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias

import orjson
from pydantic_core import to_json
from starlette.types import Scope

from ...lifecycle import Container
from ...observability.access import NOTES
from ..codes import UNAUTHENTICATED
from ..declaring.messages import InvalidMessage, type_of
from ..rooms.hub import Hub
from ..rooms.measured import handling, tell_user
from ..sockets.requests import Authenticate, Join, Leave, Push, Ref, Request
from ..sockets.socket import ClientSocket
from ..waiting.frames import Frame, control
from .guarding import ChannelGuard, known_by_token
from .memberships import Memberships
from .refusals import refusal_of

__all__ = ["Desk"]

Asked: TypeAlias = Authenticate | Join | Leave | Push
Work: TypeAlias = Callable[[Any], Awaitable[None]]


class Desk:
    """Serves one client.

    Args:
        container: The running project.
        hub: The rooms of this process.
        socket: The client's.
        guards: Who knows whose a token is.
    """

    __slots__ = ("_container", "_guards", "_hub", "_is_known", "_memberships", "_socket")

    def __init__(
        self, container: Container, hub: Hub, socket: ClientSocket, guards: tuple[ChannelGuard, ...]
    ) -> None:
        self._container = container
        self._guards = guards
        self._hub = hub
        self._is_known: asyncio.Event | None = None
        self._memberships = Memberships(container, hub, socket)
        self._socket = socket

    def take(self, socket: ClientSocket, request: Request) -> bool:
        """Let a request be worked on, behind those for the same channel.

        What comes after an `authenticate` is asked by whom that has found out.
        """
        if isinstance(request, Authenticate):
            known = asyncio.Event()
            if not socket.lanes.add("", partial(self._guarded, self._authenticate, request, known)):
                return False
            self._is_known = known
            return True
        assert isinstance(request, Join | Leave | Push)
        found = self._memberships
        works: dict[type[Any], Work] = {Join: found.join, Leave: found.leave, Push: self._push}
        work = works[type(request)]
        known_first = partial(self._when_known, self._is_known, work, request)
        return socket.lanes.add(request.channel, known_first)

    async def join(self, request: Join) -> None:
        """Join at once; what goes wrong is raised."""
        with self._memberships.about(request.channel):
            await self._memberships.join(request)

    def note(self, scope: Scope) -> None:
        """Let the access line of the client say what it was, and what it has joined."""
        connection, found = self._socket.connection, self._memberships
        tell_user(self._container, connection)
        notes = {"connection_id": connection.id, "channels": found.joined, "joins": found.joins}
        scope["state"][NOTES] = notes

    async def end(self) -> None:
        """Leave everything: the client is gone."""
        await self._memberships.end()

    # --- who it is ---

    async def _authenticate(self, request: Authenticate) -> None:
        user = await known_by_token(self._guards, request.token)
        before = self._socket.connection.user
        if user is None:
            self._socket.close(UNAUTHENTICATED, "the token is not good")
        elif before is not None and before.id != user.id:
            self._socket.refuse(request.ref, "other_user", "open another socket for another user")
        elif not self._hub.users.admit(self._socket, user):
            self._socket.overloaded("this user has too many sockets")
        else:
            self._socket.is_known_anew()
            self._socket.answer(control("ok", ref=request.ref))

    # --- messages ---

    async def _push(self, request: Push) -> None:
        membership = self._memberships.of(request)
        if membership is None:
            return
        channel = membership.channel
        try:
            message = channel.incoming.read(request.data, request.text)
        except InvalidMessage as error:
            refuse = partial(self._socket.refuse, request.ref, "invalid", str(error))
            refuse(channel=request.channel, errors=error.errors)
            return
        handler = channel.handlers[type(message)]
        with handling(self._container, channel, type_of(message)):
            answer = await handler.call(self._container, channel, message)
        if request.ref is not None:
            self._socket.answer(_ok(request.ref, answer))

    async def _when_known(
        self, known: asyncio.Event | None, work: Work, request: Join | Leave | Push
    ) -> None:
        if known is not None:
            await known.wait()
        with self._memberships.about(request.channel):
            await self._guarded(work, request)

    async def _guarded(self, work: Work, request: Asked, done: asyncio.Event | None = None) -> None:
        """Do what was asked for; what goes wrong is the client's answer, and the socket goes on."""
        try:
            await work(request)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._refuse(request, error)  # something within was cancelled, not this
        except Exception as error:
            self._refuse(request, error)
        finally:
            if done is not None:
                done.set()

    def _refuse(self, request: Asked, error: BaseException) -> None:
        channel = None if isinstance(request, Authenticate) else request.channel
        refusal = refusal_of(error, type(request).__name__.lower())
        self._socket.refuse(request.ref, channel=channel, **refusal)


def _ok(ref: Ref, answer: object) -> Frame:
    if answer is None:
        return control("ok", ref=ref)
    data = to_json(answer, by_alias=True, inf_nan_mode="null")
    return Frame(b'{"type":"ok","ref":%b,"data":%b}' % (orjson.dumps(ref), data))
