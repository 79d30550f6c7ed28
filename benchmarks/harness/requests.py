"""Requests: call an ASGI application in this process and measure the CPU time behind each call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

__all__ = ["Application", "cpu_us_per_request"]

REQUESTS_A_TURN: Final = 10
_ALWAYS: Final = ((b"host", b"localhost"), (b"user-agent", b"benchmark"), (b"accept", b"*/*"))

Application = Callable[[Any, Any, Any], Awaitable[None]]
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


async def cpu_us_per_request(
    app: Application,
    method: str,
    path: str,
    *,
    count: int,
    concurrency: int = 1,
    headers: Headers = (),
) -> float:
    """Return the CPU microseconds of one request, over `count` of them.

    Raises:
        RuntimeError: An answer was no success.
    """
    each = count // concurrency
    await _requests(app, method, path, headers, 10)
    started = time.process_time()
    tasks = (_requests(app, method, path, headers, each) for _ in range(concurrency))
    await asyncio.gather(*tasks)
    return (time.process_time() - started) * 1e6 / (each * concurrency)


async def _requests(app: Application, method: str, path: str, headers: Headers, count: int) -> None:
    for number in range(count):
        if number % REQUESTS_A_TURN == 0:
            await asyncio.sleep(0)  # as in a server: else what watches the loop calls it blocked
        status = await _request(app, method, path, headers)
        if status >= 400:
            raise RuntimeError(f"{method} {path} was answered with {status}")


async def _request(app: Application, method: str, path: str, headers: Headers) -> int:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [*_ALWAYS, *headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    await app(scope, receive, send)
    return status
