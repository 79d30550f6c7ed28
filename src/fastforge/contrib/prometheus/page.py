"""Page: what Prometheus reads, as an ASGI application."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Iterable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ...observability.metrics import Sample
from ...web.errors.responses import problem_response
from .exposition import exposed

__all__ = ["PATH", "metrics_page", "only_at"]

PATH: Final = "/metrics"
"""Where the page stands on its own port."""
METHODS: Final = frozenset({"GET", "HEAD"})

Read = Callable[[], Iterable[Sample]]


def metrics_page(read: Read, *, token: str = "") -> ASGIApp:
    """Return what shows metrics to whoever may see them.

    Args:
        read: Gives the samples, in a thread.
        token: What has to come as `Authorization: Bearer`.
    """

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        answer: ASGIApp
        if request.method not in METHODS:
            answer = problem_response(405, headers={"Allow": "GET, HEAD"})
        elif token and not _is_shown(request, token):
            answer = problem_response(401, headers={"WWW-Authenticate": "Bearer"})
        else:
            accept = request.headers.get("accept", "")
            # In a thread: it reads the files of other processes.
            content, media_type = await asyncio.to_thread(lambda: exposed(read(), accept))
            answer = Response(content, media_type=media_type, headers={"cache-control": "no-store"})
            if request.method == "HEAD":
                answer.body = b""
        await answer(scope, receive, send)

    return page


def only_at(path: str, page: ASGIApp) -> ASGIApp:
    """Return what answers with a page at one path, and 404 elsewhere."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        answer = page if scope["path"] == path else problem_response(404)
        await answer(scope, receive, send)

    return app


def _is_shown(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), token.encode())
