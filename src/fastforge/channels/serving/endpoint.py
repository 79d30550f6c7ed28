"""Endpoint: the one WebSocket route of a project's channels."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Final

from starlette.types import Receive, Scope, Send

from ...lifecycle import Container, current_container
from ...observability.context import connection_id
from ..codes import OVERLOADED, UNAUTHENTICATED
from ..rooms.hub import Hub, hub_of
from ..sockets.connection import Principal
from ..sockets.socket import ClientSocket
from ..waiting.frames import control
from .desk import Desk
from .guarding import ChannelGuard, Unknown, known_by_token

__all__ = ["KNOWN_USER", "SUBPROTOCOL", "TOKEN_PREFIX", "ChannelEndpoint", "known_user"]

logger = logging.getLogger("fastforge.channels")

SUBPROTOCOL: Final = "fastforge"
TOKEN_PREFIX: Final = "token."
"""A browser cannot set headers: the token stands beside our subprotocol, never in the URL."""
KNOWN_USER: Final = "fastforge.channels.user"
"""Where a scope has somebody who is known already: that of a test, or of a middleware."""
_REFUSAL_EXTENSION: Final = "websocket.http.response"


class ChannelEndpoint:
    """Takes a socket, finds out who has opened it, and serves it until it ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        container = current_container()
        hub = hub_of(container)
        if hub.is_full:
            await _refuse(scope, receive, send)
            return
        guards: tuple[ChannelGuard, ...] = container.registry.values("channel_guards")
        hub.places += 1
        try:
            await self._serve(container, hub, guards, scope, receive, send)
        finally:
            hub.places -= 1

    async def _serve(
        self,
        container: Container,
        hub: Hub,
        guards: tuple[ChannelGuard, ...],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        socket = ClientSocket(
            hub.config, secrets.token_hex(8), scope, receive, send, clock=hub.clock
        )
        offered = _offered(scope)
        token = next((each[len(TOKEN_PREFIX) :] for each in offered if _is_token(each)), None)
        try:
            async with asyncio.timeout(hub.config.join_timeout_s):
                user, is_good = await known_user(guards, scope, token)
        except TimeoutError:
            logger.warning("a socket is refused: who opens it is not known in time")
            await _refuse(scope, receive, send)
            return
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        name = connection_id.set(socket.connection.id)
        desk = Desk(container, hub, socket, guards)
        hub.sockets.add(socket)
        try:
            if not is_good:
                socket.close(UNAUTHENTICATED, "the token is not good")
            elif user is not None and not hub.users.admit(socket, user):
                socket.close(OVERLOADED, "this user has too many sockets")
            else:
                socket.answer(control("welcome", connection=socket.connection.id))
            await socket.run(desk.take)
        finally:
            desk.note(scope)
            hub.end(socket)
            await desk.end()
            connection_id.reset(name)


async def known_user(
    guards: tuple[ChannelGuard, ...], scope: Scope, token: str | None
) -> tuple[Principal | None, bool]:
    """Return who has opened a socket, and whether what they show is good."""
    if KNOWN_USER in scope:
        return scope[KNOWN_USER], True
    if token is not None:
        user = await known_by_token(guards, token)
        return user, user is not None
    for guard in guards:
        if guard.by_request is None:
            continue
        try:
            user = await guard.by_request(scope)
        except Unknown:
            return None, False
        if user is not None:
            return user, True
    return None, True


def _offered(scope: Scope) -> list[str]:
    offered: list[str] = scope.get("subprotocols", [])
    return offered


def _is_token(offered: str) -> bool:
    return offered.startswith(TOKEN_PREFIX)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a socket for which there is no place, before it is one: that costs the least."""
    await receive()
    if _REFUSAL_EXTENSION not in scope.get("extensions", ()):
        await send({"type": "websocket.close", "code": OVERLOADED, "reason": "no place"})
        return
    headers = [(b"retry-after", b"5"), (b"content-length", b"0")]
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
