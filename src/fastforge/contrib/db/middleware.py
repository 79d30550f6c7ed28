"""Transactions: the layer around the router that ends a request's session before the answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...exceptions import ForgeError
from ...middleware.deadline import begin_answer
from ...observability.tracebacks import tracebacks_are_wanted
from ...web.errors.handlers import status_of
from ...web.errors.responses import problem_response
from ...web.middleware import Middleware, Slot
from .errors import describe, schema_missing
from .queries.tally import server_timing
from .sessions import Session
from .unit import UnitOfWork, entered_unit, new_session, new_transaction

__all__ = ["TRANSACTIONS", "Transactions"]

logger = logging.getLogger("fastforge.contrib.db")

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Transactions:
    """Gives every request and socket one lazy session, and decides what becomes of it.

    The decision falls when the answer begins: a status below 400 commits; any other, an exception
    and a time limit that is over roll back. Whoever reads a 2xx can rely on the rows. A commit
    that fails is answered in place of what the handler had to say: 409 when the data clashes with
    rows that are there, else 500. A table or column that the database does not have is a 500 and
    one line in the log, wherever it is met before the answer begins. Background tasks run after
    the commit and find the session closed.

    POST, PUT, PATCH and DELETE run in one transaction, unless the database has
    `atomic_requests=False`; the other methods and sockets start outside `atomic`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        unit = UnitOfWork(_opener(scope), scope)
        with entered_unit(unit):
            try:
                if scope["type"] == "http":
                    await _Exchange(unit, scope, receive, send).run(self.app)
                else:
                    await self.app(scope, receive, send)
                    await unit.finish(commit=True)
            finally:
                await unit.finish(commit=False)


def _opener(scope: Scope) -> Callable[[], Session]:
    writes = scope["type"] == "http" and scope["method"] not in SAFE_METHODS
    return new_transaction if writes else new_session


class _Abandoned(Exception):
    """Ends an application whose answer has been replaced, its background tasks included."""


class _Exchange:
    """One request and its answer."""

    __slots__ = ("receive", "replaced", "scope", "send", "started", "unit")

    def __init__(self, unit: UnitOfWork, scope: Scope, receive: Receive, send: Send) -> None:
        self.unit = unit
        self.scope = scope
        self.receive = receive
        self.send = send
        self.started = False
        self.replaced = False

    async def run(self, app: ASGIApp) -> None:
        try:
            await app(self.scope, self.receive, self._send_when_done)
        except Exception as error:
            if self.replaced:
                return
            if self.started or not (_is_conflict(error) or schema_missing(error)):
                raise
            await self.unit.finish(commit=False)
            await self._answer(error)

    async def _send_when_done(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self.started:
            self.started = True
            await self._finish(message["status"])
            if (timing := server_timing(self.scope)) is not None:
                message = {**message, "headers": [*message.get("headers", ()), timing]}
        await self.send(message)

    async def _finish(self, status: int) -> None:
        try:
            # Whoever has been answered with 504 for its time must not find the rows later.
            await self.unit.finish(commit=status < 400 and begin_answer(self.scope))
        except Exception as error:
            if status >= 400:  # the answer says already that nothing was done
                logger.exception("the rollback of a request failed")
                return
            await self._answer(error)
            raise _Abandoned from error

    async def _answer(self, error: Exception) -> None:
        response = await self._answer_of_the_user(error) or self._our_answer(error)
        self.replaced = True
        await response(self.scope, self.receive, self.send)

    async def _answer_of_the_user(self, error: Exception) -> Response | None:
        """Return what a handler of the user's for such errors says, as it would of the route's."""
        handlers, _ = self.scope.get("starlette.exception_handlers", ({}, {}))
        handler = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
        if handler is None or isinstance(error, ForgeError):  # ours, which knows the error itself
            return None
        request = Request(self.scope, self.receive)
        said: Any = (
            handler(request, error)
            if iscoroutinefunction(handler)
            else await run_in_threadpool(handler, request, error)
        )
        answer: Response | None = await said if isawaitable(said) else said
        return answer

    def _our_answer(self, error: Exception) -> Response:
        if _is_conflict(error):
            logger.info("a request clashes with rows that are there: %s", describe(error))
            detail = "this clashes with data that is there already, or needs data that is not"
            return problem_response(409, detail=detail, code="db.E021")
        if missing := schema_missing(error):
            logger.error("%s", missing, exc_info=error if tracebacks_are_wanted() else None)
            return problem_response(500, code=missing.code)
        if isinstance(error, ForgeError):
            logger.error("a request could not be committed: %s", error)
            return problem_response(status_of(error) or 500, code=error.code)
        logger.error("a request could not be committed", exc_info=error)
        return problem_response(500, code="db.E022")


def _is_conflict(error: Exception) -> bool:
    return isinstance(error, IntegrityError) and describe(error).is_conflict


TRANSACTIONS: Final = Middleware(Transactions, slot=Slot.ROUTER)
