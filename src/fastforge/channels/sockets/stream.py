"""Stream: server-sent events of one client, which listens and says nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

import orjson
from fastapi.exceptions import HTTPException
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.types import Receive, Scope, Send

from ..codes import OVERLOADED
from ..settings import Channels
from ..waiting.frames import Frame, control
from ..waiting.outbox import Outbox
from ..waiting.wires import ClientWire
from .clock import SYSTEM, Clock
from .requests import Ref
from .socket import ClientSocket, Handle

__all__ = ["CHALLENGE", "EventStream", "Positions"]

HEARTBEAT_S: Final = 15.0
"""After so long without an event there is a comment, so that nobody between closes the stream."""
RETRY_MS: Final = (500, 3000)
"""How long a client waits until it comes back: not all of them as long."""
OVERLOADED_RETRY_MS: Final = (30_000, 60_000)
"""How long it waits where there was no place for it."""
CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
LONGEST_ID: Final = 20
_STATUS: Final[Mapping[str, int]] = {
    "forbidden": 403,
    "unauthenticated": 401,
    "too_many_joins": 422,
}
_HEADERS: Final = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
]


class Positions:
    """Where a client stands in each of its channels: the id of an event says it of all.

    Args:
        names: The channels, in the order of the address.
        text: What the client has got last; empty for one that comes for the first time.
    """

    __slots__ = ("_names", "_stands", "_was")

    def __init__(self, names: Sequence[str], text: str) -> None:
        self._names = names
        self._was: dict[str, tuple[str, int]] = dict(_read(names, text)) if text else {}
        self._stands = dict(self._was)

    @property
    def id(self) -> str | None:
        """The id of an event, as things stand; None: there is none yet.

        Whoever knows of all channels where it is can come back, and nobody before that.
        """
        if len(self._stands) < len(self._names):
            return None
        stands = (self._stands[each] for each in self._names)
        return ",".join(f"{epoch}.{id_}" for epoch, id_ in stands)

    def before(self, name: str) -> tuple[str, int | None]:
        """Return the epoch and the id that a client was at; no id: it was never there."""
        return self._was.get(name, ("", None))

    def take(self, frame: Frame) -> str | None:
        """Return the id of a frame's event; None: it has none."""
        told = orjson.loads(frame.data)
        name = told.get("channel")
        if told["type"] == "joined":
            last_id = self._was[name][1] if told.get("recovered") else told["last_id"]
            self._stands[name] = (told["epoch"], last_id)
        elif frame.id and name in self._stands:
            self._stands[name] = (self._stands[name][0], frame.id)
        else:
            return None
        return self.id


def _read(names: Sequence[str], text: str) -> list[tuple[str, tuple[str, int]]]:
    """Read an event's id; what is none of ours means that something may be missing."""
    texts = text.split(",")
    if len(texts) != len(names):
        texts = [""] * len(names)
    stands: list[tuple[str, tuple[str, int]]] = []
    for name, each in zip(names, texts, strict=True):
        epoch, _, id_ = each.partition(".")
        is_id = id_.isascii() and id_.isdigit() and len(id_) < LONGEST_ID
        stands.append((name, (epoch, int(id_)) if is_id else ("", 0)))
    return stands


def _nothing() -> None:
    return None


class _EventWire(ClientWire):
    """The wire of a stream: a task that waits for each event.

    Args:
        send: The server's.
        positions: Where the client stands.
        now: The time in seconds, which only goes on.
    """

    __slots__ = ("_beats", "_now", "_positions", "_since", "before_its_end", "sent_at")

    def __init__(self, send: Send, positions: Positions, now: Callable[[], float]) -> None:
        super().__init__(send)
        self._beats = False
        self._now = now
        self._positions = positions
        self.before_its_end: Callable[[], None] = _nothing
        self._since: float | None = None
        self.sent_at = now()

    def is_stuck(self, now: float, limit_s: float) -> bool:
        return self._since is not None and now - self._since > limit_s

    def beat(self) -> None:
        """Send a comment, behind what waits."""
        self._beats = True
        self.wake()

    async def _sending(self, outbox: Outbox) -> None:
        while (frame := outbox.pop()) is not None:
            await self._write(format_sse_event(data_str=frame.text, id=self._positions.take(frame)))
        if self._beats:
            self._beats = False
            await self._write(KEEPALIVE_COMMENT)
        if self._closing is not None:
            code, reason = self._closing
            last = control("closed", code=code, reason=reason)
            self.before_its_end()
            await self._write(format_sse_event(data_str=last.text), goes_on=False)
            self._ended()

    async def _write(self, data: bytes, *, goes_on: bool = True) -> None:
        self._since = self.sent_at = self._now()
        await self._send({"type": "http.response.body", "body": data, "more_body": goes_on})
        self._since = None


class EventStream(ClientSocket):
    """Sends what is said in some channels to a client that cannot answer.

    What has to be refused is refused before the stream begins, with a status.

    Args:
        config: The section.
        id: Names the connection.
        scope: The server's.
        receive: The server's.
        send: The server's.
        positions: Where the client stands.
        clock: What its limits in time go by.
    """

    __slots__ = ("_events", "_positions")
    transport: ClassVar[str] = "sse"
    comes_back: ClassVar[bool] = True

    def __init__(
        self,
        config: Channels,
        id: str,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        positions: Positions,
        clock: Clock = SYSTEM,
    ) -> None:
        self._events = _EventWire(send, positions, clock.monotonic)
        super().__init__(config, id, scope, receive, send, wire=self._events, clock=clock)
        self._positions = positions

    def before_its_end(self, call: Callable[[], None]) -> None:
        """Call a function before the last event: with that the access line is written."""
        self._events.before_its_end = call

    async def accept(self, subprotocol: str | None = None) -> None:
        """Begin the answer."""
        await self._begin(RETRY_MS)

    async def turn_away(self, code: int, reason: str) -> None:
        """Answer a client that comes back by itself: not now.

        After any status but 200 a browser's `EventSource` gives up for good.
        """
        await self._begin(OVERLOADED_RETRY_MS if code == OVERLOADED else RETRY_MS)
        body = format_sse_event(data_str=control("closed", code=code, reason=reason).text)
        await self._send({"type": "http.response.body", "body": body})

    async def _begin(self, retry_ms: tuple[int, int]) -> None:
        await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        # With an id: by the letter of the standard an event without one forgets where it was.
        retry = format_sse_event(retry=random.randint(*retry_ms), id=self._positions.id)
        await self._send({"type": "http.response.body", "body": retry, "more_body": True})

    def tick(self, now: float) -> None:
        """Look after the stream: it is never silent for long."""
        super().tick(now)
        if self._closing_since is None and now - self._events.sent_at > HEARTBEAT_S:
            self._events.beat()

    def refuse(self, ref: Ref, code: str, message: str, **more: object) -> None:
        """Refuse what was asked for in the address.

        Raises:
            HTTPException: Always.
        """
        status = _STATUS.get(code, 400)
        raise HTTPException(status, message, headers=CHALLENGE if status == 401 else None)

    async def _read(self, handle: Handle) -> None:
        """Wait until the client is gone; what it sends is not looked at."""
        while (await self._receive())["type"] != "http.disconnect":
            continue
