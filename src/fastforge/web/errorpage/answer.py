"""Answer: when the page is shown, and how it is sent."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import Any, Final, TypeVar

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from ..._utils import told
from ...conf import Settings
from ...observability.context import request_id
from ...observability.failures import failure_text
from ...observability.tracing import trace_here
from .lines import RequestLines
from .panel import ErrorPanel
from .visitor import may_see

__all__ = ["ErrorPage", "watch_requests"]

T = TypeVar("T")
logger = logging.getLogger("fastforge.web.errorpage")

LIMIT_S: Final = 5
"""How long it may take to look at a failure, in seconds; then a plain text has to do."""


class ErrorPage:
    """What a developer's browser is shown of a request that failed.

    Args:
        project: The project's name.
        settings: Its settings.
        panels: Gives what apps have to tell.
        route_of: Gives the template of the route that a request has found.
    """

    def __init__(
        self,
        *,
        project: str,
        settings: Settings,
        panels: Callable[[], Iterable[ErrorPanel]],
        route_of: Callable[[Scope], str | None],
    ) -> None:
        self.lines = RequestLines()
        self._project = project
        self._settings = settings
        self._panels = panels
        self._route_of = route_of

    async def answer(
        self,
        request: Request,
        error: Exception,
        *,
        status: int = 500,
        headers: Mapping[str, str] | None = None,
    ) -> Response | None:
        """Return the page; None for everybody who is not to see it.

        Args:
            request: What was asked.
            error: Why there is no answer.
            status: That of the page.
            headers: More headers of it.
        """
        if not may_see(request.scope):
            return None
        nonce = secrets.token_urlsafe()
        try:
            body, kind = await _in_thread(self._html(request, error, status, nonce)), "text/html"
        except Exception as trouble:
            logger.warning("the error page cannot be made: %s", told(trouble))
            body, kind = await _in_thread(partial(failure_text, error)), "text/plain"
        response = Response(body, status, {**(headers or {}), **_headers(nonce)}, kind)
        if request.method == "HEAD":
            response.body = b""  # its headers stay those of a GET
        return response

    def _html(
        self, request: Request, error: Exception, status: int, nonce: str
    ) -> Callable[[], str]:
        """Return what writes the page, after a look at what only this task knows."""
        own_id: str = request.scope.get("state", {}).get("request_id") or request_id.get() or ""
        route = self._route_of(request.scope) or ""
        trace_id = _trace_id()
        lines = self.lines.of(own_id)

        def write() -> str:
            from .facts import Failed, gather  # not before something fails, and not in the loop
            from .html import as_html

            failed = Failed(
                scope=request.scope,
                error=error,
                status=status,
                route=route,
                request_id=own_id,
                trace_id=trace_id,
                lines=lines,
            )
            facts = gather(
                failed, project=self._project, settings=self._settings, panels=self._panels
            )
            return as_html(facts, nonce=nonce)

        return write


def watch_requests(app: FastAPI, page: ErrorPage) -> None:
    """Let a page hear what requests write to the log, for as long as an application runs."""
    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        with page.lines.listening():
            async with inner(app) as values:
                yield values

    app.router.lifespan_context = lifespan


def _trace_id() -> str:
    trace = trace_here()
    return trace.split("-")[1] if trace else ""


def _headers(nonce: str) -> dict[str, str]:
    return {
        "content-security-policy": (
            f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}';"
            " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ),
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "vary": "Accept",
        "x-content-type-options": "nosniff",
    }


async def _in_thread(write: Callable[[], T]) -> T:
    """Do something that reads files and calls anybody's `repr`, beside the event loop.

    In a thread of its own: the others may all be taken, which may be what has failed.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    context = copy_context()  # panels may ask for the running project

    def run() -> None:
        try:
            future.set_result(context.run(write))
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="fastforge-error-page").start()
    return await asyncio.wait_for(asyncio.wrap_future(future), LIMIT_S)
