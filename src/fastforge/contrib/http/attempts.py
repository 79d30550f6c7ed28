"""Attempts: a call that may be repeated is made again, and a host that is away is left alone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from ...lifecycle.backoff import Backoff
from ...lifecycle.breaker import Breaker, BreakerOpen
from .errors import UpstreamAway, UpstreamError, UpstreamRefused, where_of
from .hosts import HostBreakers
from .library import httpx
from .settings import Http, HttpHost
from .traced import ATTEMPT

__all__ = ["Attempts", "call_options"]

logger = logging.getLogger("fastforge.http")

_OPTIONS: Final = "fastforge.call"
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_KEY: Final = "idempotency-key"
_PASSING: Final = frozenset({429, 502, 503, 504})
_BROKEN: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)
_ANSWERED: Final = (httpx.DecodingError, httpx.TooManyRedirects)
_SERVER_ERROR: Final = 500


def call_options(*, retries: int | None = None, breaker: bool | None = None) -> dict[str, Any]:
    """Return what makes one call different, for its `extensions`.

    ```python
    await http.put(url, json=order, extensions=call_options(retries=3))
    ```

    Args:
        retries: How many more attempts it has; unless given, as the settings say.
        breaker: Whether it fails at once while the host is away.
    """
    return {_OPTIONS: HttpHost(retries=retries, breaker=breaker)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How an attempt has ended: one of both is there."""

    response: httpx.Response | None = None
    error: Exception | None = None

    @property
    def may_pass(self) -> bool:
        """Whether another attempt may end otherwise."""
        if self.response is not None:
            return self.response.status_code in _PASSING
        return isinstance(self.error, _BROKEN) and not isinstance(self.error, BreakerOpen)

    @property
    def text(self) -> str:
        """What to say of it."""
        if self.response is not None:
            return f"it answers {self.response.status_code}"
        return type(self.error).__name__

    @property
    def retry_after_s(self) -> float:
        """When the host wants to be asked again."""
        return 0 if self.response is None else _retry_after_s(self.response)


class Attempts:
    """Makes the calls of a client.

    Args:
        config: How many attempts there are, and when.
    """

    def __init__(self, config: Http) -> None:
        self._config = config
        self._breakers = HostBreakers(config)

    async def make(
        self, request: httpx.Request, send: Callable[[], Awaitable[httpx.Response]]
    ) -> httpx.Response:
        """Make a call, again if it may be repeated and another attempt may end otherwise.

        Raises:
            UpstreamRefused: The host is away; it was not asked.
        """
        retries, has_breaker = self._options(request)
        if not retries and not has_breaker:
            return await send()
        breaker = self._breakers.of(request.url) if has_breaker else None
        if not retries or not _may_repeat(request):
            return await _guarded(breaker, request, send)
        return await self._repeated(request, retries, lambda: _guarded(breaker, request, send))

    async def _repeated(
        self,
        request: httpx.Request,
        retries: int,
        attempt: Callable[[], Awaitable[httpx.Response]],
    ) -> httpx.Response:
        config, loop = self._config, asyncio.get_running_loop()
        over = loop.time() + config.retry_budget_s
        pauses = Backoff(config.retry_pause_s, config.max_retry_pause_s, least=0)
        for count in range(1, retries + 1):
            ended = await _tried(attempt)
            pause_s = max(pauses.next_s(), ended.retry_after_s)
            is_patient = ended.retry_after_s <= config.max_retry_pause_s
            if not (ended.may_pass and is_patient and loop.time() + pause_s < over):
                return _result(ended)
            if ended.response is not None:
                await ended.response.aclose()
            words = "%s is tried again in %.2f s, %d of %d: %s"
            logger.info(words, where_of(request), pause_s, count, retries, ended.text)
            await asyncio.sleep(pause_s)
            request.extensions = {**request.extensions, ATTEMPT: count}
        return await attempt()

    def _options(self, request: httpx.Request) -> tuple[int, bool]:
        """Return how many more attempts a call has, and whether a breaker stands before it."""
        retries, has_breaker = self._config.retries, self._config.breaker
        for options in (self._config.hosts.get(request.url.host), request.extensions.get(_OPTIONS)):
            if options is not None:
                retries = retries if options.retries is None else options.retries
                has_breaker = has_breaker if options.breaker is None else options.breaker
        return retries, has_breaker


def _may_repeat(request: httpx.Request) -> bool:
    """Return whether a second attempt does nothing twice, and can send what the first has sent."""
    is_idempotent = request.method in _IDEMPOTENT or _KEY in request.headers
    return is_idempotent and isinstance(request.stream, httpx.ByteStream)


async def _tried(attempt: Callable[[], Awaitable[httpx.Response]]) -> _Ended:
    try:
        return _Ended(response=await attempt())
    except httpx.HTTPError as error:
        return _Ended(error=error)


def _result(ended: _Ended) -> httpx.Response:
    if ended.response is None:
        assert ended.error is not None
        raise ended.error
    return ended.response


async def _guarded(
    breaker: Breaker | None,
    request: httpx.Request,
    send: Callable[[], Awaitable[httpx.Response]],
) -> httpx.Response:
    """Make one attempt, unless the host is away, and note whether it is."""
    if breaker is None:
        return await send()
    try:
        breaker.check()
    except BreakerOpen as refused:
        raise UpstreamRefused(refused.message, code=refused.code, hint=refused.hint) from refused
    try:
        response = await send()
    except httpx.PoolTimeout:
        raise  # it was not asked: our own connections are in use
    except UpstreamError as error:
        breaker.failed(error)
        raise
    except _ANSWERED:
        breaker.succeeded()
        raise
    if response.status_code < _SERVER_ERROR:
        breaker.succeeded()
    else:
        breaker.failed(_failing(request, response))
    return response


def _failing(request: httpx.Request, response: httpx.Response) -> UpstreamError:
    return UpstreamAway(f"{where_of(request)} answers {response.status_code}", code="http.E014")


def _retry_after_s(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0)
    except (ValueError, OverflowError):  # none, or none that can be read
        return 0
