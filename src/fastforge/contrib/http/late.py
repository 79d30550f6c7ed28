"""Late: a client whose connection pool is made with its first call, and that tells what fails.

Reading the certificates of all authorities and importing the pool take longer than everything
else that a client does at the start, and few requests need them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from .errors import telling
from .library import httpx
from .measured import measuring
from .traced import call_span, pass_trace_on

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
        with measuring(request) as measured, call_span(request) as traced, telling(request):
            pass_trace_on(request)
            response = await transport.handle_async_request(request)
            traced.answered(response)
            measured.answered(response)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _TellingStream(response.stream, request)
        return response

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()

    async def _first(self) -> httpx.AsyncBaseTransport:
        async with self._making:  # of several calls at the same time, one makes it
            if self._made is None:
                self._made = await asyncio.to_thread(self._make)
            return self._made


class _TellingStream(httpx.AsyncByteStream):
    """A body whose errors say which service failed."""

    def __init__(self, stream: httpx.AsyncByteStream, request: httpx.Request) -> None:
        self._stream = stream
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with telling(self._request):
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
