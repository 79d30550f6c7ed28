"""An application behind an edge, called as a server calls it; its access lines."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

from fastforge.middleware.edge import Edge
from fastforge.middleware.policy import EdgePolicy
from fastforge.middleware.state import EdgeState
from fastforge.observability.access import AccessLog
from fastforge.observability.lines import LineBuffer
from fastforge.observability.logging.choices import Shape
from fastforge.observability.logging.configuration import Configuration
from fastforge.observability.logging.process import stream_of

Headers = Iterable[tuple[bytes, bytes]]


@dataclass
class Heard:
    """What an application has sent."""

    messages: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        pairs = [(name.decode(), value.decode()) for name, value in self.messages[0]["headers"]]
        assert len(pairs) == len(dict(pairs)), f"a header comes twice: {pairs}"
        return dict(pairs)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])


class Served:
    """An application behind an edge.

    Args:
        app: The application.
        rules: The policy of the edge.

    Attributes:
        heard: What the latest request has been sent, also where it raised.
    """

    heard: Heard

    def __init__(self, app: ASGIApp, **rules: Any) -> None:
        self._written = io.StringIO()
        self._log = access_log_to(LineBuffer(self._written))
        self.state = EdgeState()
        self.edge = Edge(app, self.state, EdgePolicy(access_log=self._log, **rules))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The access lines until now."""
        self._log.close()
        return [json.loads(line) for line in self._written.getvalue().splitlines()]

    async def get(self, path: str = "/", **scope: Any) -> Heard:
        """Ask with GET, unless the scope says otherwise."""
        heard = self.heard = Heard()
        received = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Message:
            for message in received:
                return message
            await asyncio.Event().wait()
            raise AssertionError("nobody leaves here")

        await self.edge(http_scope(path, **scope), receive, heard.send)
        return heard

    async def connect(self, *received: Message, **scope: Any) -> Heard:
        """Open a socket and send these messages on it."""
        heard, left = Heard(), iter([{"type": "websocket.connect"}, *received])

        async def receive() -> Message:
            return next(left)

        whole = http_scope(scope.pop("path", "/"), **scope)
        del whole["method"]
        await self.edge(whole | {"type": "websocket", "scheme": "ws"}, receive, heard.send)
        return heard


def http_scope(path: str, *, headers: Headers = ((b"host", b"localhost"),), **more: Any) -> Any:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "query_string": b"secret=sesame",
        "root_path": "",
        "headers": list(headers),
        "client": ("192.0.2.1", 40000),
        "server": ("127.0.0.1", 8000),
        **more,
    }


def access_log_to(lines: LineBuffer, shape: Shape = "json", **more: Any) -> AccessLog:
    """Return what writes the lines of requests to a buffer."""
    return AccessLog(stream_of(Configuration(role="web", shape=shape, **more), lines))


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Answer 200."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
