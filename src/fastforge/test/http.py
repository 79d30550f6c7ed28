"""Client: an HTTP client that talks to an application in this event loop, without a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from ..project import Project
from .lifespan import Application, application_of, started

__all__ = ["client", "client_of"]


@asynccontextmanager
async def client(
    subject: Project | Application,
    *,
    raise_app_exceptions: bool = True,
    base_url: str = "http://localhost",
    **options: Any,
) -> AsyncIterator[httpx.AsyncClient]:
    """Start an application and give a client for it; stop it at the end of the block.

    ```python
    async with client(project) as http:
        assert (await http.get("/notes")).status_code == 200
    ```

    Surprises: an answer arrives when it is complete; for streams, WebSockets and browsers there
    is `live_server`. Cookies stay with the client, as in a browser.

    Args:
        subject: A project, or any ASGI application with a lifespan.
        raise_app_exceptions: Let an exception that a handler does not catch reach the test. With
            False the client is given the answer that a server would send, status 500.
        base_url: What relative addresses are relative to, and the Host header.
        options: More keywords of `httpx.AsyncClient`: headers, cookies, auth.

    Raises:
        StartError: A required resource could not be opened.
        Exception: Whatever else the start raises.
    """
    async with started(application_of(subject)) as application:
        http = client_of(
            application, raise_app_exceptions=raise_app_exceptions, base_url=base_url, **options
        )
        async with http:
            yield http


def client_of(
    running: Application,
    *,
    raise_app_exceptions: bool = True,
    base_url: str = "http://localhost",
    **options: Any,
) -> httpx.AsyncClient:
    """Return a client of an application that has been started; for the arguments see `client`."""
    transport = httpx.ASGITransport(running, raise_app_exceptions=raise_app_exceptions)
    return httpx.AsyncClient(transport=transport, base_url=base_url, **options)
