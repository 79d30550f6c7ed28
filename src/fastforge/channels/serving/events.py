"""Events: the route by which channels are server-sent events, for clients that only listen."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import parse_qs

from fastapi.exceptions import HTTPException
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from ...exceptions import ForgeError
from ...lifecycle import Container, current_container
from ...observability.access import NOTES
from ...observability.context import connection_id
from ..codes import INTERNAL_ERROR, OVERLOADED, RESTART
from ..rooms.hub import Hub, hub_of
from ..sockets.requests import LONGEST_NAME, Join
from ..sockets.stream import CHALLENGE, EventStream, Positions
from .desk import Desk
from .endpoint import known_user
from .farewell import RESTART_REASON
from .guarding import ChannelGuard

__all__ = ["EVENTS_PATH", "EventEndpoint"]

EVENTS_PATH: Final = "/sse"
"""Where it is, behind CHANNELS.path."""
MOST_CHANNELS: Final = 16
"""An event says of each of them where the client is."""
LONGEST_POSITION: Final = 2000
_PASSING: Final = frozenset({429, 503})
"""What a client that comes back is told in a stream."""


class EventEndpoint:
    """Finds out who asks and whether they may, then sends events until it ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            raise HTTPException(405, headers={"Allow": "GET"})
        container = current_container()
        hub = hub_of(container)
        names, positions = _asked(scope)
        stream = EventStream(
            hub.config,
            secrets.token_hex(8),
            scope,
            receive,
            send,
            positions=positions,
            clock=hub.clock,
        )
        try:
            await _placed(container, hub, scope, stream, [(name, positions) for name in names])
        except (HTTPException, ForgeError) as error:
            if not _comes_back(scope) or _status_of(error) not in _PASSING:
                raise
            if container.draining:
                await stream.turn_away(RESTART, RESTART_REASON)
            elif isinstance(error, HTTPException):
                await stream.turn_away(OVERLOADED, error.detail)
            else:
                await stream.turn_away(INTERNAL_ERROR, "it cannot be served now")


async def _admit(
    hub: Hub, guards: tuple[ChannelGuard, ...], scope: Scope, stream: EventStream
) -> None:
    """Find out who asks.

    Raises:
        HTTPException: What they show is not good, or they have too many connections.
    """
    user, is_good = await known_user(guards, scope, None)
    if not is_good:
        raise HTTPException(401, "the credential is not good", headers=CHALLENGE)
    if user is not None and not hub.users.admit(stream, user):
        raise HTTPException(
            429, "this user has too many connections", headers={"Retry-After": "30"}
        )


async def _placed(
    container: Container,
    hub: Hub,
    scope: Scope,
    stream: EventStream,
    asked: list[tuple[str, Positions]],
) -> None:
    if container.draining:
        raise HTTPException(503, "the server stops", headers={"Retry-After": "1"})
    if hub.is_full:
        raise HTTPException(503, "there is no place", headers={"Retry-After": "5"})
    hub.places += 1
    try:
        await _serve(container, hub, scope, stream, asked)
    finally:
        hub.places -= 1


async def _serve(
    container: Container,
    hub: Hub,
    scope: Scope,
    stream: EventStream,
    asked: list[tuple[str, Positions]],
) -> None:
    guards: tuple[ChannelGuard, ...] = container.registry.values("channel_guards")
    await _admit(hub, guards, scope, stream)
    desk = Desk(container, hub, stream, guards)

    def note() -> None:
        desk.note(scope)
        notes: dict[str, object] = scope["state"][NOTES]
        notes["messages_out"] = stream.outbox.sent
        if stream.close_code is not None:
            notes["close_code"] = stream.close_code

    stream.before_its_end(note)
    name = connection_id.set(stream.connection.id)
    try:
        for channel, positions in asked:
            epoch, last_id = positions.before(channel)
            await desk.join(Join(None, channel, last_id, epoch))
        hub.sockets.add(stream)
        await stream.accept()
        await stream.run(_takes_nothing)
    finally:
        note()
        hub.end(stream)
        await desk.end()
        connection_id.reset(name)


def _comes_back(scope: Scope) -> bool:
    """Return whether a client asks for events as an `EventSource` does."""
    return "text/event-stream" in Headers(scope=scope).get("accept", "")


def _status_of(error: HTTPException | ForgeError) -> int:
    if isinstance(error, HTTPException):
        return error.status_code
    status: int = getattr(error, "status", 500)
    return status


def _takes_nothing(_stream: object, _request: object) -> bool:
    return False


def _asked(scope: Scope) -> tuple[list[str], Positions]:
    """Return the channels that the address names, and where the client was.

    Raises:
        HTTPException: It names none, or too many.
    """
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    names = [*dict.fromkeys(query.get("channel", ()))]
    if not 0 < len(names) <= MOST_CHANNELS or max(map(len, names)) > LONGEST_NAME:
        raise HTTPException(422, f"name 1 to {MOST_CHANNELS} channels: ?channel=room:7")
    told = query.get("last_event_id", [""])[0]
    last = Headers(scope=scope).get("last-event-id", told)
    return names, Positions(names, last[:LONGEST_POSITION])
