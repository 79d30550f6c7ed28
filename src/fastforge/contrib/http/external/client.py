"""The client for URLs that somebody else has given."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib import import_module
from typing import Any, Final, Self, TypedDict

from ..errors import UpstreamError
from ..library import httpx
from ..settings import ExternalHttp
from ..traced import pass_request_id_on
from .bodies import ENCODINGS
from .connections import DEADLINE, ExternalConnections
from .errors import ExternalRefused
from .policy import Policy
from .redirects import next_request

__all__ = ["ExternalClient", "ExternalOptions"]

_SHOWN: Final = 100
_TRANSPORT: Final = f"{__package__}.transport"


class ExternalOptions(TypedDict, total=False):
    """What `http.external()` takes: fields of `EXTERNAL_HTTP`, for these calls."""

    timeout_s: float
    connect_timeout_s: float
    total_timeout_s: float
    max_bytes: int
    max_redirects: int
    https_only: bool
    ports: Sequence[int]
    allow_hosts: Sequence[str]
    deny_hosts: Sequence[str]
    allow_networks: Sequence[str]
    deny_networks: Sequence[str]
    propagate: bool


class ExternalClient(httpx.AsyncClient):
    """httpx's client, for hosts of the internet alone.

    `http.external()` gives it. It follows redirects, each of which is checked like the first URL.

    Surprises: it keeps no cookies and no connections, knows no proxies, and hands over bodies
    decoded, by `aiter_raw` too. Nobody has to close it; `async with` does no harm. With `stream`
    the time for all of it (`total_timeout_s`) goes on while the body is read.

    Args:
        config: The limits and lists.
        connections: What is shared with others of the process.
    """

    def __init__(self, config: ExternalHttp, connections: ExternalConnections) -> None:
        self._policy = Policy.of(config)
        super().__init__(
            transport=_LateTransport(partial(_transport, self._policy, config, connections)),
            trust_env=False,
            timeout=httpx.Timeout(config.timeout_s, connect=config.connect_timeout_s),
            follow_redirects=True,
            max_redirects=config.max_redirects,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            headers={"Accept-Encoding": ENCODINGS, "Connection": "close"},
            event_hooks={"request": [pass_request_id_on]} if config.propagate else {},
        )
        self._total_timeout_s = config.total_timeout_s

    def build_request(self, method: str, url: httpx.URL | str, **options: Any) -> httpx.Request:
        """Build a request, as httpx does.

        Raises:
            ExternalRefused: The URL is none, or not one of the web.
        """
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError) as error:
            raise _no_url(url) from error
        if parsed.scheme:  # httpx takes `file:///etc/passwd` for the end of a URL
            self._policy.check_scheme(parsed.scheme)
        return super().build_request(method, parsed, **options)

    async def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: Any = httpx.USE_CLIENT_DEFAULT,
        follow_redirects: Any = httpx.USE_CLIENT_DEFAULT,
    ) -> httpx.Response:
        """Send a request, and those that it is led on to.

        Raises:
            ExternalRefused: One of them is not sent.
            AnswerRefused: The answer is too long, or encoded in a way that was not asked for.
            UpstreamError: A service cannot be reached, or is late.
        """
        deadline = asyncio.get_running_loop().time() + self._total_timeout_s
        request.extensions = {**request.extensions, DEADLINE: deadline}
        follows = self.follow_redirects if _is_default(follow_redirects) else follow_redirects
        response = await self._led_on(request, auth, follows=bool(follows))
        if not stream:
            try:
                await response.aread()
            except BaseException:
                await response.aclose()
                raise
        return response

    async def aclose(self) -> None:
        """Do nothing: each connection is closed behind its call."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.aclose()

    async def _led_on(self, request: httpx.Request, auth: Any, *, follows: bool) -> httpx.Response:
        history: list[httpx.Response] = []
        while True:
            response = await self._one(request, auth)
            response.history = list(history)
            if not follows:
                return response
            try:
                following = next_request(response, len(history), self.max_redirects)
            except BaseException:
                await response.aclose()
                raise
            if following is None:
                return response
            await response.aclose()
            history.append(response)
            request, auth = following, None

    async def _one(self, request: httpx.Request, auth: Any) -> httpx.Response:
        try:
            return await super().send(request, stream=True, auth=auth, follow_redirects=False)
        except (httpx.InvalidURL, ValueError) as error:
            raise _no_url(request.url) from error
        except httpx.RemoteProtocolError as error:
            if isinstance(error, UpstreamError):
                raise
            raise _no_url(request.url) from error  # of httpx itself: where the answer leads to


class _LateTransport(httpx.AsyncBaseTransport):
    """Imports in a thread what makes connections, when the first call wants one."""

    def __init__(self, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._make = make
        self._made: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._made is None:
            if _TRANSPORT not in sys.modules:
                await asyncio.to_thread(import_module, _TRANSPORT)
            self._made = self._make()
        return await self._made.handle_async_request(request)


def _transport(
    policy: Policy, config: ExternalHttp, connections: ExternalConnections
) -> httpx.AsyncBaseTransport:
    from .transport import ExternalTransport

    return ExternalTransport(
        policy, connections, max_bytes=config.max_bytes, propagate=config.propagate
    )


def _is_default(value: Any) -> bool:
    return value is httpx.USE_CLIENT_DEFAULT


def _no_url(url: object) -> ExternalRefused:
    text = url.host if isinstance(url, httpx.URL) else str(url).rpartition("@")[2]
    return ExternalRefused(
        f"{text[:_SHOWN]!r} is not asked: it is not the usual form of a URL, or leads to one",
        code="http.E003",
        hint="write https://, a name, and a path",
    )
