"""Calls an ASGI application directly, and looks at the world at the instant its answer begins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI


@dataclass
class Answer:
    """What an application sent, and what was noted when it began to."""

    status: int = 0
    content_type: str = ""
    body: bytes = b""
    seen_at_start: Any = None
    error: BaseException | None = None
    starts: int = field(default=0)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[FastAPI]:
    """Run the application's lifespan as a server does: in a task, by messages."""
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan", "state": {}}, inbox.get, outbox.put))  # type: ignore[arg-type]
    await inbox.put({"type": "lifespan.startup"})
    message = await outbox.get()
    assert message["type"] == "lifespan.startup.complete", message
    try:
        yield app
    finally:
        await inbox.put({"type": "lifespan.shutdown"})
        await task


async def call(
    app: FastAPI,
    method: str,
    path: str,
    *,
    at_start: Callable[[], Awaitable[Any]] | None = None,
) -> Answer:
    """Send one request; `at_start` runs before the first byte of the answer goes out."""
    answer = Answer()
    requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        message = next(requests, None)
        if message is None:
            await asyncio.Event().wait()
        assert message is not None
        return message

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.starts += 1
            answer.status = message["status"]
            headers = {key.decode(): value.decode() for key, value in message["headers"]}
            answer.content_type = headers.get("content-type", "")
            if at_start is not None:
                answer.seen_at_start = await at_start()
        else:
            answer.body += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    try:
        await app(scope, receive, send)  # type: ignore[arg-type]
    except Exception as error:  # what ServerErrorMiddleware raises again for the server's log
        answer.error = error
    return answer
