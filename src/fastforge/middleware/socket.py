"""Socket: one web socket from its handshake to its close, as the edge sees it."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from contextlib import nullcontext
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..lifecycle.container import use_container
from ..observability.access import NOTES
from ..observability.context import request_headers, request_id, request_scope
from ..transport import transport_of
from .deadline import EDGE
from .line import handled_error, has_left, more_of, route_template
from .replacing import FAILED
from .rules import Rules

__all__ = ["SocketExchange"]

ACCEPTED: Final = 101
REFUSED: Final = 403
REFUSAL_EXTENSION: Final = "websocket.http.response"
NORMAL, POLICY_VIOLATION, INTERNAL_ERROR, RESTART = 1000, 1008, 1011, 1012


class SocketExchange:
    """Stands between the application and the server while a socket is open.

    Its line is written when it is over. It has no time limit and is not counted.

    Args:
        rules: Those of the edge.
        scope: The socket's.
        receive: The server's.
        send: The server's.
    """

    __slots__ = (
        "_close_code",
        "_code",
        "_error",
        "_id",
        "_receive",
        "_received",
        "_received_bytes",
        "_rules",
        "_scope",
        "_send",
        "_sent",
        "_sent_bytes",
        "_started",
        "_status",
    )

    def __init__(self, rules: Rules, scope: Scope, receive: Receive, send: Send) -> None:
        self._close_code: int | None = None
        self._code: str | None = None
        self._error: BaseException | None = None
        self._id = rules.id_for(scope)
        self._received = self._received_bytes = self._sent = self._sent_bytes = 0
        self._receive = receive
        self._rules = rules
        self._scope = scope
        self._send = send
        self._started = time.perf_counter()
        self._status: int | None = None

    async def run(self) -> None:
        """Let the application speak with the client."""
        scope, container = self._scope, self._rules.state.container
        scope[EDGE] = self
        scope.setdefault("state", {})["request_id"] = self._id
        token = request_id.set(self._id)
        headers_token = request_headers.set(scope.get("headers", ()))
        scope_token = request_scope.set(scope)
        self._rules.state.sockets += 1
        try:
            with nullcontext() if container is None else use_container(container):
                await self._admitted()(scope, self.receive, self.send)
        except BaseException as error:
            if _has_closed(error):
                self._write_line()
                return
            if has_left(error):
                self._write_line(cancelled=True)
            else:
                self._status = self._status or FAILED
                self._error = error
                self._write_line(failure=type(error).__name__)
            raise
        else:
            self._write_line()
        finally:
            self._rules.state.sockets -= 1
            del scope[EDGE]
            request_id.reset(token)
            request_headers.reset(headers_token)
            request_scope.reset(scope_token)

    def _admitted(self) -> ASGIApp:
        rules = self._rules
        entrance = rules.entrance
        refusal = entrance.refusal(self._scope) or entrance.foreign_page(self._scope)
        container = rules.state.container
        if refusal is None and container is not None and container.draining:
            refusal = entrance.stopping()
        if refusal is None:
            return rules.app
        self._code = refusal.code
        can_answer = REFUSAL_EXTENSION in self._scope.get("extensions", ())
        return refusal.app if can_answer else _closing

    def begin(self) -> bool:
        """Return whether its answer may begin: a socket has no time limit."""
        return True

    async def receive(self) -> Message:
        """Receive a message of the client."""
        message = await self._receive()
        kind = message["type"]
        if kind == "websocket.receive":
            self._received += 1
            self._received_bytes += _size_bytes(message)
        elif kind == "websocket.disconnect" and self._close_code is None:
            self._close_code = message.get("code")
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the application."""
        kind = message["type"]
        if kind == "websocket.send":
            self._sent += 1
            self._sent_bytes += _size_bytes(message)
        elif kind == "websocket.accept":
            self._status = ACCEPTED
            self._rules.answers.identify(message, self._id)
        elif kind == "websocket.http.response.start":
            self._error = handled_error(self._scope) if message["status"] >= FAILED else None
            self._status = message["status"]
            self._rules.answers.complete(message, self._id, self._scope)
        elif kind == "websocket.close":
            if self._status is None:
                self._status = REFUSED
            elif self._close_code is None:
                self._close_code = message.get("code", 1000)
        return self._send(message)

    def _write_line(self, *, failure: str | None = None, cancelled: bool = False) -> None:
        error, self._error = self._error, None  # which would be a circle
        if self._rules.log is None:
            return
        scope, client = self._scope, self._scope.get("client")
        close_code = self._ended_with(failure=failure is not None, cancelled=cancelled)
        closing = {} if close_code is None else {"close_code": close_code}
        transport = transport_of(scope)
        written = (0, 0) if transport is None else (transport.written, transport.written_bytes)
        self._rules.log.write(
            self._id,
            "WEBSOCKET",
            scope["path"],
            route_template(scope),
            self._status,
            time.perf_counter() - self._started,
            client[0] if client else None,
            self._received_bytes,
            self._sent_bytes + written[1],
            more_of(
                failure=failure,
                cancelled=cancelled,
                code=self._code,
                messages_in=self._received,
                messages_out=self._sent + written[0],
                **closing,
                **scope["state"].get(NOTES, {}),
            ),
            error,
        )

    def _ended_with(self, *, failure: bool, cancelled: bool) -> int | None:
        """Return the code that the socket was closed with, or will be by a server of ours."""
        transport = transport_of(self._scope)
        if self._close_code is not None or transport is None or self._status != ACCEPTED:
            return self._close_code
        if transport.close_code is not None:
            return transport.close_code
        if cancelled:
            return RESTART
        return INTERNAL_ERROR if failure else NORMAL


def _size_bytes(message: Message) -> int:
    """Return the size of a message; that of a text in characters, which cost nothing to count."""
    content = message.get("bytes")
    return len(message.get("text") or ()) if content is None else len(content)


def _has_closed(error: BaseException) -> bool:
    """Return whether an exception only says that the client has closed the socket."""
    from starlette.websockets import WebSocketDisconnect

    return isinstance(error, WebSocketDisconnect)


async def _closing(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})
