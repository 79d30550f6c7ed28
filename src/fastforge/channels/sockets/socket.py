"""Socket: one client from its handshake to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import ClassVar, Final, TypeAlias

import orjson
from starlette.types import Message, Receive, Scope, Send

from ..codes import (
    DONE,
    EXPIRED,
    NO_JSON,
    NO_TEXT,
    OVERLOADED,
    POLICY,
    SLOW_CONSUMER,
    TOO_FAST,
    TOO_LARGE,
)
from ..settings import Channels
from ..waiting.frames import Frame, control
from ..waiting.outbox import Outbox
from ..waiting.wires import ClientWire, wire_of
from .clock import SYSTEM, Clock
from .connection import Connection
from .lanes import Lanes
from .rate import Bucket
from .requests import BadFrame, Join, Ping, Ref, Request, read

__all__ = ["ClientSocket"]

CLOSING_LIMIT_S: Final = 2.0
"""How long a client may take to hear that it is let go; then nobody waits for it any more."""
REFRESH_S: Final = 30.0
"""How long before the end of a token its client is told, to show another one."""
LOOKS_EVERY_S: Final = 1.0
"""How often a socket is looked at of which nothing is expected: ten thousand of them cost."""
LONGEST_REASON_BYTES: Final = 123

Handle: TypeAlias = "Callable[[ClientSocket, Request], bool]"
"""What takes a request of a client; False: too much of them waits."""


class ClientSocket:
    """Reads what a client sends, and lets it be answered elsewhere.

    Reading never waits for a handler: a server that cannot read does not see either that the
    client answers its pings. One task reads, one sends, and handlers have their own.

    Args:
        config: The section.
        id: Names the connection.
        scope: The server's.
        receive: The server's.
        send: The server's.
        wire: How frames get to the client; None: as over a WebSocket.
        clock: What its limits in time go by.

    Attributes:
        close_code: What it was closed with from here; None where it was not.
        connection: What handlers see.
        due: When it has to be looked at again, by `time.monotonic`.
        lanes: What the client has asked for.
        has_joined: Whether it has joined anything yet.
        is_aborted: Whether the client took not even its closing.
        transport: What it comes over.
        comes_back: Whether its client can fill a gap in one way alone: by coming back.
    """

    __slots__ = (
        "_began", "_bucket", "_clock", "_closing_since", "_config", "_is_given_up",
        "_is_told_of_expiry", "_joins_at_once", "_receive", "_refresh_s", "_send", "_task",
        "_wire", "close_code", "connection", "due", "has_joined", "is_aborted", "lanes", "outbox",
    )  # fmt: skip
    transport: ClassVar[str] = "websocket"
    comes_back: ClassVar[bool] = False

    def __init__(
        self,
        config: Channels,
        id: str,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        wire: ClientWire | None = None,
        clock: Clock = SYSTEM,
    ) -> None:
        self._clock = clock
        self._config = config
        self._receive = receive
        self._send = send
        self._wire = wire_of(scope, send) if wire is None else wire
        self.outbox: Final = Outbox(
            self._wire,
            size=config.queue_size,
            size_bytes=config.queue_bytes,
            patience_s=config.slow_consumer_timeout_s,
            let_go=self._let_go,
            now=clock.monotonic,
        )
        self.connection: Final = Connection(id, scope, self.outbox, self.close)
        self.lanes: Final = Lanes(config.inbox_size, most=config.max_joins + config.inbox_size)
        self.close_code: int | None = None
        self.has_joined = self.is_aborted = False
        self.due = 0.0
        self._joins_at_once = config.max_joins
        self._bucket = Bucket(config.messages_per_s, config.messages_burst, clock.monotonic)
        self._began = self._clock.monotonic()
        self._closing_since: float | None = None
        self._is_told_of_expiry = False
        self._refresh_s = REFRESH_S
        self._task: asyncio.Task[object] | None = None
        self._is_given_up = False

    @property
    def awaits_farewell(self) -> bool:
        """Whether it is open, and nobody but us closes it when the process stops."""
        return self._closing_since is None and not self._wire.hears_of_stop

    # --- life ---

    async def accept(self, subprotocol: str | None) -> None:
        """Let the client in; what it is told comes after."""
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol})

    async def run(self, handle: Handle) -> None:
        """Read until the client is gone; when this returns, nothing of it runs any more.

        Args:
            handle: Takes what the client asks for; it does not wait.
        """
        self._task = asyncio.current_task()
        self._wire.start(self.outbox, ended=self.give_up, stopping=self.close)
        try:
            await self._read(handle)
        except asyncio.CancelledError:
            if not self._is_given_up or (self._task is not None and self._task.uncancel()):
                raise
        finally:
            self._closing_since = self._closing_since or self._clock.monotonic()
            try:
                await self.lanes.end()
            finally:
                self.outbox.clear()
                await self._wire.end()

    def close(self, code: int = DONE, reason: str = "") -> None:
        """End the socket, when what waits has been sent."""
        if self._closing_since is None:
            self._closing_since = self._clock.monotonic()
            self.close_code = code
            self.due = 0.0
            self.outbox.stop()
            self._wire.close(code, _short(reason))

    def tick(self, now: float) -> None:
        """Look after the socket; every now and then somebody calls it.

        Args:
            now: What `Clock.monotonic` says.
        """
        if self._closing_since is not None:
            if now - self._closing_since > CLOSING_LIMIT_S:
                self.is_aborted = self.close_code is not None
                self.give_up()
            return
        if self._wire.is_stuck(now, self._config.slow_consumer_timeout_s):
            self._let_go()
        elif not self.has_joined and now - self._began > self._config.join_timeout_s:
            self.close(POLICY, "nothing was joined")
        else:
            left_s = self._tick_token()
            if self.has_joined and not self._wire.may_be_stuck:
                self.due = now + min(left_s, LOOKS_EVERY_S)

    def give_up(self) -> None:
        """Forget a client that does not even take its closing."""
        if self._task is not None and not self._is_given_up:
            self._is_given_up = True
            self._wire.abort()
            self._task.cancel()

    def _tick_token(self) -> float:
        """Look after the end of the token; return in how many seconds it is."""
        left_s = self._token_left_s()
        if left_s <= 0:
            self.close(EXPIRED, "the token has ended")
        elif left_s <= self._refresh_s and not self._is_told_of_expiry:
            self._is_told_of_expiry = True
            self.outbox.push(control("expiring", in_s=int(left_s)))
        return left_s

    def is_known_anew(self) -> None:
        """Hear that the client has shown another token.

        Or the same again, or one that ends as soon: so it is not asked at once, and for ever.
        """
        self._is_told_of_expiry = False
        self._refresh_s = min(REFRESH_S, self._token_left_s() / 2)

    def _token_left_s(self) -> float:
        user = self.connection.user
        expires_at = None if user is None else user.expires_at
        return inf if expires_at is None else expires_at - self._clock.epoch()

    def _let_go(self) -> None:
        self.outbox.clear()
        self.close(SLOW_CONSUMER, "too far behind")

    # --- reading ---

    async def _read(self, handle: Handle) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._closing_since is None:
                self._hear(message, handle)

    def _hear(self, message: Message, handle: Handle) -> None:
        """Take a message, or end the socket for it."""
        text = message.get("text")
        limit = self._config.max_message_bytes
        if text is None:
            self.close(NO_TEXT, "frames are texts")
            return
        try:
            if len(text) > limit or len(text.encode()) > limit:
                self.close(TOO_LARGE, f"a message has {limit} bytes at most")
            else:
                self._take(orjson.loads(text), text, handle)
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            self.close(NO_JSON, "frames are JSON")

    def _take(self, frame: object, text: str, handle: Handle) -> None:
        request: Request | BadFrame
        try:
            request = read(frame, text)
        except BadFrame as error:
            request = error
        if not self._may_ask(request):
            self.close(TOO_FAST, "too many messages")
        elif isinstance(request, BadFrame):
            self.refuse(request.ref, "bad_frame", str(request))
        elif isinstance(request, Ping):
            self.outbox.push(control("pong", ref=request.ref))
        elif not handle(self, request):
            self.refuse(request.ref, "busy", "too much of yours waits")

    def _may_ask(self, request: Request | BadFrame) -> bool:
        """Count a frame; whoever comes back joins at once all that it was in."""
        if isinstance(request, Join) and self._joins_at_once:
            self._joins_at_once -= 1
            return True
        return self._bucket.take()

    # --- answering ---

    def answer(self, frame: Frame) -> None:
        """Answer what the client has asked for."""
        self.outbox.push(frame)

    def refuse(self, ref: Ref, code: str, message: str, **more: object) -> None:
        """Answer that something was not done; the socket goes on."""
        self.outbox.push(control("error", ref=ref, code=code, message=message, **more))

    def overloaded(self, reason: str) -> None:
        """End a socket for which there is no place; its client comes back later."""
        self.close(OVERLOADED, reason)


def _short(reason: str) -> str:
    return reason.encode()[:LONGEST_REASON_BYTES].decode(errors="ignore")
