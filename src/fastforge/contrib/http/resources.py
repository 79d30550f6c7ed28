"""The HTTP client of a process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from ...lifecycle import provide, resource, section
from .client import Client
from .external.connections import ExternalConnections
from .library import httpx
from .settings import ExternalHttp, Http
from .traced import pass_request_id_on

__all__ = ["HttpClient", "http_client"]


@resource
async def http_client(
    config: Annotated[Http, section(Http)], external: Annotated[ExternalHttp, section(ExternalHttp)]
) -> AsyncIterator[Client]:
    """Open one client with one pool; its connections are kept between requests.

    The pool itself is made with the first of them.

    Calls carry the id of the request or job that makes them in `x-request-id`, and its trace in
    `traceparent` where it is a part of one, unless the caller sets that header.
    """
    async with Client(
        config=config,
        external=external,
        connections=ExternalConnections(external.max_connections),
        timeout=httpx.Timeout(config.timeout_s, connect=config.connect_timeout_s),
        limits=httpx.Limits(
            max_connections=config.max_connections,
            max_keepalive_connections=config.max_connections,
        ),
        event_hooks={"request": [pass_request_id_on]},
    ) as client:
        yield client


HttpClient = Annotated[Client, provide(http_client)]
"""The process's client: `async def rates(http: HttpClient): await http.get(...)`."""
