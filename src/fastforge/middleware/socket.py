"""Socket: one web socket from its handshake to its close, as the edge sees it."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..observability.access import AccessLog
from .answer import AnswerHeaders
from .exchange import FAILED, Rules, has_left
from .template import route_template

__all__ = ["SocketExchange"]

METHOD: Final = "WEBSOCKET"
ACCEPTED: Final = 101
REFUSED: Final = 403
REFUSAL_EXTENSION: Final = "websocket.http.response"
POLICY_VIOLATION: Final = 1008


class SocketExchange:
    """Stands between the application and the server while a socket is open.

    Its line is written when it is over.

    Args:
        rules: Those of the edge.
        scope: The socket's.
        receive: The server's.
        send: The server's.
        request_id: The socket's id.
    """

    __slots__ = (
        "_answers",
        "_close_code",
        "_log",
        "_path",
        "_receive",
        "_root_path",
        "_send",
        "_started",
        "_status",
        "request_id",
        "scope",
    )

    def __init__(
        self, rules: Rules, scope: Scope, receive: Receive, send: Send, request_id: str
    ) -> None:
        self._answers: AnswerHeaders = rules.answers
        self._close_code: int | None = None
        self._log: AccessLog | None = rules.log
        self._path: str = scope.get("path", "")
        self._receive = receive
        self._root_path: str = scope.get("root_path", "")
        self.scope = scope
        self._send = send
        self._started = time.perf_counter()
        self._status: int | None = None
        self.request_id = request_id

    async def run(self, app: ASGIApp) -> None:
        """Let the application speak with the client."""
        try:
            await app(self.scope, self.receive, self.send)
        except BaseException as error:
            if has_left(error):
                self._write_line(cancelled=True)
            else:
                self._status = self._status or FAILED
                self._write_line(failure=type(error).__name__)
            raise
        self._write_line()

    async def refuse(self, refusal: ASGIApp) -> None:
        """Answer the handshake with a refusal, as far as the server can send one."""
        if REFUSAL_EXTENSION in self.scope.get("extensions", ()):
            await self.run(refusal)
        else:
            await self.run(_closing)

    def begin(self) -> bool:
        """Return whether its answer may begin: a socket has no time limit."""
        return True

    async def receive(self) -> Message:
        """Receive a message of the client."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect" and self._close_code is None:
            self._close_code = message.get("code")
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """Send a message of the application."""
        kind = message["type"]
        if kind == "websocket.accept":
            self._begin_with(message, ACCEPTED)
        elif kind == "websocket.http.response.start":
            self._begin_with(message, message["status"])
        elif kind == "websocket.close":
            if self._status is None:
                self._status = REFUSED
            elif self._close_code is None:
                self._close_code = message.get("code", 1000)
        return self._send(message)

    def _begin_with(self, message: Message, status: int) -> None:
        self._status = status
        self._answers.identify(message, self.request_id)

    def _write_line(self, **more: Any) -> None:
        if self._log is None:
            return
        client = self.scope.get("client")
        if self._close_code is not None:
            more["close_code"] = self._close_code
        self._log.write(
            request_id=self.request_id,
            method=METHOD,
            path=self._path,
            route=route_template(self.scope, self._root_path),
            status_code=self._status,
            duration_ms=round((time.perf_counter() - self._started) * 1000, 3),
            client=client[0] if client else None,
            **more,
        )


async def _closing(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": POLICY_VIOLATION})
