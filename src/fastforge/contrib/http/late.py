"""Late: a client whose connection pool is made with its first call, not with the process.

Reading the certificates of all authorities and importing the pool take longer than everything
else that a client does at the start, and few requests need them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from .library import httpx

__all__ = ["LateClient"]


class LateClient(httpx.AsyncClient):
    """httpx's client. Where its private names are others some day, it is not late, and works."""

    def _init_transport(self, *args: Any, **kwargs: Any) -> httpx.AsyncBaseTransport:
        return _LateTransport(partial(super()._init_transport, *args, **kwargs))

    def _init_proxy_transport(self, *args: Any, **kwargs: Any) -> httpx.AsyncBaseTransport:
        return _LateTransport(partial(super()._init_proxy_transport, *args, **kwargs))


class _LateTransport(httpx.AsyncBaseTransport):
    """Makes the transport in a thread, when the first request wants it."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make
        self._making = asyncio.Lock()
        self._made: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._made or await self._first()
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()

    async def _first(self) -> httpx.AsyncBaseTransport:
        async with self._making:  # of several calls at the same time, one makes it
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
            return self._made
