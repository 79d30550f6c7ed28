"""The HTTP client of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from ...lifecycle import provide, resource, section
from ...observability.context import request_id
from .late import LateClient
from .library import httpx
from .settings import Http

__all__ = ["HttpClient", "http_client"]

_REQUEST_ID: Final = "x-request-id"


@resource
async def http_client(config: Annotated[Http, section(Http)]) -> AsyncIterator[httpx.AsyncClient]:
    """Open one client with one pool; its connections are kept between requests.

    The pool itself is made with the first of them.

    Calls carry the id of the request or job that makes them in `x-request-id`, and its trace in
    `traceparent` where it is a part of one, unless the caller sets that header.
    """
    async with LateClient(
        timeout=httpx.Timeout(config.timeout_s, connect=config.connect_timeout_s),
        limits=httpx.Limits(
            max_connections=config.max_connections,
            max_keepalive_connections=config.max_connections,
        ),
        event_hooks={"request": [_pass_id_on]},
    ) as client:
        yield client


HttpClient = Annotated[httpx.AsyncClient, provide(http_client)]
"""The process's client: `async def rates(http: HttpClient): await http.get(...)`."""


async def _pass_id_on(request: httpx.Request) -> None:
    current = request_id.get()
    if current is not None and _REQUEST_ID not in request.headers:
        request.headers[_REQUEST_ID] = current
