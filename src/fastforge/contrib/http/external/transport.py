"""Transport: one connection a call, to an address that was checked, closed behind it."""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import MappingProxyType
from typing import Any, Final

import anyio
import httpcore

from ..errors import telling
from ..library import httpx
from ..measured import measuring
from ..traced import call_span, pass_trace_on
from .bodies import Decoder, Limited, declared_bytes, decoder_of
from .connections import DEADLINE, ExternalConnections
from .errors import AnswerRefused, ExternalLate
from .network import CheckedBackend
from .policy import Policy, host_of

__all__ = ["ExternalTransport"]

_COUNTED_AS: Final = "external"
_BASES: Final = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)
_THEIRS: Final = MappingProxyType(
    {
        getattr(httpcore, name): getattr(httpx, name)
        for name in (
            "ConnectTimeout",
            "ReadTimeout",
            "WriteTimeout",
            "PoolTimeout",
            "ConnectError",
            "ReadError",
            "WriteError",
            "LocalProtocolError",
            "RemoteProtocolError",
            "UnsupportedProtocol",
        )
    }
)


class ExternalTransport(httpx.AsyncBaseTransport):
    """Makes calls that a policy lets pass.

    No connection is kept: whether an address may be asked is decided for each call.

    Args:
        policy: What may be asked.
        connections: What is shared with other transports of the process.
        max_bytes: How long an answer may be.
        propagate: Whether a call carries its trace.
    """

    def __init__(
        self, policy: Policy, connections: ExternalConnections, *, max_bytes: int, propagate: bool
    ) -> None:
        self._policy = policy
        self._connections = connections
        self._max_bytes = max_bytes
        self._propagate = propagate

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Check a URL, and make the call."""
        self._policy.check_url(request.url)
        # Who else gives us URLs decides how many hosts there are: they are counted as one.
        measuring_it = measuring(request, host=_COUNTED_AS)
        with measuring_it as measured, call_span(request) as traced, telling(request):
            if self._propagate:
                pass_trace_on(request)
            async with _in_time(request):
                response = await self._answered(request)
            traced.answered(response)
            measured.answered(response)
        return response

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions.get("timeout", {})
        connection = await self._connection(request, timeouts.get("pool"))
        try:
            with _as_httpx():
                answer = await connection.ask(request, timeouts)
            return self._read(request, answer, connection)
        except BaseException:
            await connection.aclose()
            raise

    async def _connection(self, request: httpx.Request, timeout_s: float | None) -> _Connection:
        is_secure = request.url.scheme == "https"
        certificates = await self._connections.certificates() if is_secure else None
        release = await self._connections.take_place(timeout_s)
        backend = CheckedBackend(self._policy, self._connections.network)
        return _Connection(_core_url(request), certificates, backend, release)

    def _read(
        self, request: httpx.Request, answer: httpcore.Response, connection: _Connection
    ) -> httpx.Response:
        host, headers = host_of(request.url), httpx.Headers(answer.headers)
        limited = Limited(self._max_bytes, host)
        declared = declared_bytes(request.method, answer.status, headers)
        limited.check(declared or 0)
        # Where there is no body, its headers tell of one that there would be.
        decoder = None if declared == 0 else decoder_of(headers, host)
        if decoder is not None and "content-encoding" in headers:
            del headers["content-encoding"]  # what is handed over is decoded
            if "content-length" in headers:
                del headers["content-length"]
        shown = ("http_version", "reason_phrase")
        return httpx.Response(
            answer.status,
            headers=headers,
            stream=_Body(request, answer, connection, limited, decoder),
            extensions={key: answer.extensions[key] for key in shown if key in answer.extensions},
        )


class _Connection:
    """A connection for one call.

    Args:
        url: What is asked.
        certificates: Whom to trust; None without TLS.
        backend: What connects.
        release: Says that it is over.
    """

    def __init__(
        self,
        url: httpcore.URL,
        certificates: ssl.SSLContext | None,
        backend: CheckedBackend,
        release: Callable[[], None],
    ) -> None:
        self._url = url
        self._inner = httpcore.AsyncHTTPConnection(
            url.origin, certificates, network_backend=backend
        )
        self._release: Callable[[], None] | None = release

    async def ask(self, request: httpx.Request, timeouts: dict[str, Any]) -> httpcore.Response:
        """Send a request, and return the beginning of the answer."""
        return await self._inner.handle_async_request(
            httpcore.Request(
                request.method,
                self._url,
                headers=request.headers.raw,
                content=request.stream,
                # No other of them: one would let TLS ask for another name.
                extensions={"timeout": timeouts},
            )
        )

    async def aclose(self) -> None:
        """Close it; also while the call is cancelled."""
        release, self._release = self._release, None
        if release is None:
            return
        with anyio.CancelScope(shield=True):
            try:
                await self._inner.aclose()
            finally:
                release()


class _Body(httpx.AsyncByteStream):
    """The body of an answer: decoded, counted, and in time."""

    def __init__(
        self,
        request: httpx.Request,
        answer: httpcore.Response,
        connection: _Connection,
        limited: Limited,
        decoder: Decoder | None,
    ) -> None:
        self._request = request
        self._answer = answer
        self._connection = connection
        self._limited = limited
        self._decoder = decoder

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = decoded = 0
        with telling(self._request):
            async for part in self._parts():
                received += len(part)
                self._limited.check(received)
                if self._decoder is None:
                    continue
                with _decoding(host_of(self._request.url)):
                    for piece, counted in self._limited.pieces(self._decoder, part, decoded):
                        decoded = counted
                        yield piece

    async def _parts(self) -> AsyncIterator[bytes]:
        """Yield what arrives; each part has to be there before all is over."""
        stream = self._answer.stream
        assert not isinstance(stream, bytes)
        parts = aiter(stream)  # type: ignore[arg-type]
        while True:
            with _as_httpx():
                async with _in_time(self._request):
                    part = await anext(parts, None)
            if part is None:
                return
            yield part

    async def aclose(self) -> None:
        await self._connection.aclose()


@contextmanager
def _decoding(host: str) -> Iterator[None]:
    try:
        yield
    except zlib.error as error:
        raise AnswerRefused(
            f"the answer of {host!r} is not encoded as it says",
            code="http.E012",
            hint="see whether it is cut off or damaged",
        ) from error


@asynccontextmanager
async def _in_time(request: httpx.Request) -> AsyncIterator[None]:
    """End what takes longer than the call has."""
    try:
        async with asyncio.timeout_at(request.extensions.get(DEADLINE)):
            yield
    except TimeoutError as error:
        raise ExternalLate(
            f"the call of {host_of(request.url)!r} takes longer than it may",
            code="http.E013",
            hint="EXTERNAL_HTTP.total_timeout_s is the time for all of it, redirects too",
        ) from error


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Turn what httpcore raises into what httpx calls it."""
    try:
        yield
    except _BASES as error:
        kind = _THEIRS.get(type(error), httpx.NetworkError)
        raise kind(str(error)) from error
    except httpcore.UnsupportedProtocol as error:
        raise httpx.UnsupportedProtocol(str(error)) from error


def _core_url(request: httpx.Request) -> httpcore.URL:
    url = request.url
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
