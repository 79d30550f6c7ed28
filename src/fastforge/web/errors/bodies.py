"""Bodies: the application's own answer to a body that is larger than `max_body_size`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Iterable, Iterator
from typing import Any, Final

from anyio import CancelScope
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitResponder
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .resolution import FORMATS, ROOT, ErrorFormats

__all__ = ["BodyLimit", "BodyTooLarge", "answer_large_bodies"]

TOO_LARGE: Final = 413
NO_LIMIT: Final = sys.maxsize
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})
"""One of these is in every request of HTTP/1 that has a body."""


class BodyTooLarge(HTTPException):
    """What reading raises when a body is above its limit; handlers for 413 are given it too."""

    code: Final = "web.E040"

    def __init__(self) -> None:
        super().__init__(TOO_LARGE, "the body is larger than is accepted here")


def answer_large_bodies(app: FastAPI, formats: ErrorFormats) -> None:
    """Let an application answer bodies above its `max_body_size` as it answers other errors.

    FastAPI's limit has an answer of its own, in plain text, which no handler can change; it is
    given in place of what a handler has said that did not read the body. So a `BodyLimit` takes
    its place, around all other middleware, when the application builds them: limits, layers and
    handlers that are set until then count.

    Args:
        app: The application.
        formats: What its error answers look like; whoever answers inside finds them in the scope.
    """
    build = app.build_middleware_stack

    def build_middleware_stack() -> ASGIApp:
        limit, layers = app.max_body_size, app.user_middleware
        layer = Middleware(BodyLimit, limit=limit, app_of_limits=app, formats=formats)
        app.max_body_size, app.user_middleware = None, [layer, *layers]
        try:
            return build()
        finally:
            app.max_body_size, app.user_middleware = limit, layers

    app.build_middleware_stack = build_middleware_stack  # type: ignore[method-assign]


class BodyLimit:
    """Counts the bytes of each request's body, and refuses the request that brings too many.

    A request that announces more than any route takes is refused before anything else is done. In
    every other case it is the reading that is refused, by the limit of the route; a body that
    nobody reads does no harm. Answers that stream read: where the client has announced too much,
    they are refused as well.

    Args:
        app: The application inside.
        limit: The bytes of a body where no route says otherwise; None: any number.
        app_of_limits: The application whose routes may have limits of their own, and whose
            handlers answer a body that is too large.
        formats: What error answers look like.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int | None, app_of_limits: FastAPI, formats: ErrorFormats
    ) -> None:
        self.app = app
        self.limit = NO_LIMIT if limit is None else limit
        self.largest = max([self.limit, *_limits(app_of_limits.routes)])
        handlers = app_of_limits.exception_handlers
        errors = {key: each for key, each in handlers.items() if key not in (500, Exception)}
        self.refuse: ASGIApp = ExceptionMiddleware(_raise_too_large, handlers=errors)
        self.formats = formats

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: it would cost every request.
        scope[FORMATS] = self.formats
        if scope.get("root_path"):
            scope[ROOT] = scope["root_path"]
        if scope["type"] != "http" or _has_no_body(scope):
            return self.app(scope, receive, send)
        return self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        counter = _Counter(self)
        try:
            await counter(scope, receive, send)
        finally:
            del counter.app  # a circle, which the garbage collector would have to find


class _Counter(RequestBodyLimitResponder):
    """Counts the body of one request; a limit of Starlette's further inside only changes ours."""

    def __init__(self, limits: BodyLimit) -> None:
        super().__init__(self._counted, limits.limit)
        self.limits = limits
        self.has_refused = False
        self.has_answered = False

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.content_length is not None and self.content_length > self.limits.largest:
            await self.limits.refuse(scope, receive, send)
            return
        try:
            await self.limits.app(scope, receive, send)
        except Exception as error:
            if not self.has_refused or not _is_too_large(error):
                raise
            if not self.response_started:
                # A layer has read the body, outside of the handlers for exceptions.
                await self.limits.refuse(scope, receive, send)
            elif not self.has_answered:
                raise

    async def receive_with_limit(self) -> Message:
        while True:
            try:
                return await super().receive_with_limit()
            except HTTPException as error:
                if not self.response_started:
                    self.has_refused = True
                    raise BodyTooLarge from error
            # An answer that streams asks meanwhile whether the client has left, and must not fail
            # of a body that nobody wants: what is too much is dropped.

    async def send_with_limit(self, message: Message) -> None:
        # Without Starlette's own answer, which this class is here to do without.
        if message["type"] == "http.response.start":
            self.response_started = True
            self.content_length = None  # from here on, only what comes counts
            if self.has_refused and message["status"] < 400:
                # An answer that streams is begun by a task of its own, which the refusal of what
                # it listens to has cancelled already.
                self.has_answered = True
                with CancelScope(shield=True):
                    await self.limits.refuse(self.scope, self.receive, self.send)
        if not self.has_answered:
            await self.send(message)


def _has_no_body(scope: Scope) -> bool:
    """Return whether counting would be for nothing, which is so for most requests."""
    if scope["method"] not in SAFE_METHODS or scope.get("http_version", "1")[0] != "1":
        return False  # later versions need no header to announce a body
    # A loop: `all` takes twice as long, of every request.
    for name, _ in scope["headers"]:  # noqa: SIM110
        if name in FRAMING:
            return False
    return True


def _is_too_large(error: BaseException | None) -> bool:
    if isinstance(error, ExceptionGroup):  # of a layer that reads and answers in two tasks
        return all(_is_too_large(each) for each in error.exceptions)
    if isinstance(error, RuntimeError):  # Starlette's, of an error that comes after the answer
        error = error.__cause__
    return isinstance(error, HTTPException) and error.status_code == TOO_LARGE


async def _raise_too_large(scope: Scope, receive: Receive, send: Send) -> None:
    raise BodyTooLarge


def _limits(routes: Iterable[Any]) -> Iterator[int]:
    """Yield the limits that routes, included routers and mounted applications have."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        for owner in (route, getattr(route, "include_context", None), inner):
            limit = getattr(owner, "max_body_size", None)
            if isinstance(limit, int):
                yield limit
        yield from _limits(getattr(inner, "routes", ()))
