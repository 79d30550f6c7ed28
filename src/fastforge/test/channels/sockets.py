"""Socket: one WebSocket to an application in this event loop, without a server between."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from ..lifespan import Application

__all__ = ["InProcessSocket", "SocketClosed"]

FORBIDDEN: Final = 403
BEFORE_OPEN: Final = "before it was open"


class SocketClosed(Exception):
    """The application has closed the socket, or did not open it.

    Attributes:
        code: Why: a close code, or the status of an answer in place of a socket.
        reason: In words.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed with {code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class InProcessSocket:
    """Speaks ASGI as a server would; a client that does not read is one that is not asked.

    Args:
        application: What is asked.
        url: The address of the endpoint.
        headers: Those of the handshake.
        subprotocols: What the client offers.
        extra: More of the scope.
    """

    def __init__(
        self,
        application: Application,
        url: str,
        *,
        headers: Mapping[str, str],
        subprotocols: Sequence[str] = (),
        extra: Mapping[str, Any],
    ) -> None:
        self._application = application
        self._scope = _scope(url, headers, subprotocols, extra)
        self._from_client: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._to_client: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._reading = asyncio.Event()
        self._reading.set()
        self._task: asyncio.Task[None] | None = None
        self.closed: SocketClosed | None = None
        self.subprotocol: str | None = None

    async def open(self) -> None:
        """Shake hands.

        Raises:
            SocketClosed: The application does not want to.
        """
        self._from_client.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._run(), name="socket of a test")
        message = await self._next()
        if message["type"] == "websocket.accept":
            self.subprotocol = message.get("subprotocol")
            return
        if message["type"] == "websocket.close":  # which a server answers with a status
            self.closed = SocketClosed(FORBIDDEN, BEFORE_OPEN)
            raise self.closed
        raise self._ended(message)

    def send(self, text: str) -> None:
        """Send a text."""
        self._from_client.put_nowait({"type": "websocket.receive", "text": text})

    def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        self._from_client.put_nowait({"type": "websocket.receive", "bytes": data})

    async def receive(self) -> str:
        """Return the next text.

        Raises:
            SocketClosed: There is none, and none will come.
        """
        message = await self._next()
        if message["type"] == "websocket.send":
            text: str = message["text"]
            return text
        raise self._ended(message)

    def receive_now(self) -> str | None:
        """Return the next text that is there already; None: there is none."""
        if self.closed is not None or self._to_client.empty():
            return None
        message = self._to_client.get_nowait()
        if message["type"] == "websocket.send":
            text: str = message["text"]
            return text
        self._ended(message)
        return None

    def stop_reading(self) -> None:
        """Take nothing more from the application: its sends wait."""
        self._reading.clear()

    def go_on_reading(self) -> None:
        """Take again what it sends."""
        self._reading.set()

    async def close(self, code: int = 1000) -> None:
        """Leave, and wait until the application has noticed."""
        self._from_client.put_nowait({"type": "websocket.disconnect", "code": code})
        self._reading.set()
        if self._task is not None:
            await asyncio.wait({self._task})
            if not self._task.cancelled() and self._task.exception() is not None:
                await self._task

    async def _run(self) -> None:
        try:
            await self._application(self._scope, self._from_client.get, self._take)
        finally:
            self._to_client.put_nowait({"type": "end"})

    async def _take(self, message: MutableMapping[str, Any]) -> None:
        await self._reading.wait()
        self._to_client.put_nowait(message)
        if message["type"] == "websocket.close":
            code = message.get("code", 1000)
            self._from_client.put_nowait({"type": "websocket.disconnect", "code": code})

    async def _next(self) -> MutableMapping[str, Any]:
        if self.closed is not None:
            raise self.closed
        return await self._to_client.get()

    def _ended(self, message: MutableMapping[str, Any]) -> SocketClosed:
        kind = message["type"]
        if kind == "websocket.http.response.start":
            self.closed = SocketClosed(message["status"], BEFORE_OPEN)
        elif kind == "end":
            self.closed = SocketClosed(1006, "the application has ended")
        else:
            self.closed = SocketClosed(message.get("code", 1000), message.get("reason") or "")
        return self.closed


def _scope(
    url: str, headers: Mapping[str, str], subprotocols: Sequence[str], extra: Mapping[str, Any]
) -> dict[str, Any]:
    parts = urlsplit(url)
    told = {"host": parts.netloc, **{name.lower(): value for name, value in headers.items()}}
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        "client": ("127.0.0.1", 50_000),
        "server": (parts.hostname, parts.port or 80),
        "subprotocols": list(subprotocols),
        "extensions": {"websocket.http.response": {}},
        **extra,
    }
