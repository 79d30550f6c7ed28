"""Transactions: the layer around the router that ends a request's session before the answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextvars import Token
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...middleware.deadline import begin_answer
from ...web.errors.handlers import close_code_of
from ...web.middleware import Middleware, Slot
from .faults.answers import answer_of, answer_of_failed_commit
from .queries.tally import TALLY, server_timing
from .sessions.current import Unit, unit_here
from .sessions.handlers import is_non_atomic
from .sessions.session import Session
from .sessions.unit import UnitOfWork, new_session, new_transaction

__all__ = ["TRANSACTIONS", "Transactions"]

logger = logging.getLogger("fastforge.contrib.db")

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Transactions:
    """Gives every request and socket one lazy session, and decides what becomes of it.

    The decision falls when the answer begins: a status below 400 commits; any other, an exception
    and a time limit that is over roll back. Whoever reads a 2xx can rely on the rows. A commit
    that fails is answered in place of what the handler had to say. So is every error of the
    database that nobody has handled: `answers` says how. Background tasks run after the commit and
    find the session closed.

    POST, PUT, PATCH and DELETE run in one transaction, unless the database has
    `atomic_requests=False` or the handler is marked `@non_atomic`; the other methods and sockets
    start outside `atomic`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: it would cost every request.
        if scope["type"] == "http":
            return _Exchange(scope, receive, send).run(self.app)
        if scope["type"] == "websocket":
            return _Conversation(scope, receive, send).run(self.app)
        return self.app(scope, receive, send)


async def _roll_back(unit: UnitOfWork, token: Token[Unit | None]) -> None:
    """Roll back what nobody has ended, and make the unit no longer the current one."""
    try:
        await unit.finish(commit=False)
    finally:
        unit_here.reset(token)


def _opener(scope: Scope) -> Callable[[str], Session]:
    if scope["method"] in SAFE_METHODS:
        return new_session

    def open_session(name: str) -> Session:
        # Whose request it is, is known by now: nobody asks for a session before it is routed.
        return (new_session if is_non_atomic(scope.get("endpoint")) else new_transaction)(name)

    return open_session


class _Abandoned(Exception):
    """Ends an application whose answer has been replaced, its background tasks included."""


class _Exchange:
    """One request and its answer."""

    __slots__ = ("receive", "replaced", "scope", "send", "started", "unit")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.unit = UnitOfWork(_opener(scope), scope)
        self.scope = scope
        self.receive = receive
        self.send = send
        self.started = False
        self.replaced = False

    async def run(self, app: ASGIApp) -> None:
        token = unit_here.set(self.unit)
        try:
            await app(self.scope, self.receive, self._send_when_done)
        except Exception as error:
            if self.replaced:
                return
            answer = None if self.started else answer_of(error)
            if answer is None:
                raise
            await self.unit.finish(commit=False)
            await self._replace(answer)
        finally:
            if self.unit.ended:
                unit_here.reset(token)
            else:
                await _roll_back(self.unit, token)

    def _send_when_done(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start" and not self.started:
            self.started = True
            # Statements may have run in sessions of their own: their tally is told as well.
            if TALLY in self.scope or not self.unit.end_unused():
                return self._begin(message)
            begin_answer(self.scope)  # a layer outside may hold back what has begun
        return self.send(message)  # no coroutine around it: that would cost every request

    async def _begin(self, message: Message) -> None:
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
            answer = await answer_of_failed_commit(error, self.scope, self.receive)
            await self._replace(answer)
            raise _Abandoned from error

    async def _replace(self, answer: Response) -> None:
        self.replaced = True
        await answer(self.scope, self.receive, self.send)


class _Conversation:
    """One socket and the end of it."""

    __slots__ = ("ended", "open", "receive", "scope", "send", "unit")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.unit = UnitOfWork(new_session, scope)
        self.scope = scope
        self.receive = receive
        self.send = send
        self.open = False
        self.ended = False

    async def run(self, app: ASGIApp) -> None:
        token = unit_here.set(self.unit)
        try:
            await app(self.scope, self.receive, self._send_and_note)
            await self.unit.finish(commit=True)
        except Exception as error:
            answer = None if self.ended else answer_of(error)
            if answer is None:
                raise
            await self.unit.finish(commit=False)
            await self._end(answer)
        finally:
            await _roll_back(self.unit, token)

    async def _send_and_note(self, message: Message) -> None:
        kind = message["type"]
        self.open = self.open or kind == "websocket.accept"
        self.ended = self.ended or kind in ("websocket.close", "websocket.http.response.start")
        await self.send(message)

    async def _end(self, answer: Response) -> None:
        """Answer the handshake, or close what is open by the code that fits the status."""
        if self.open:
            code = close_code_of(answer.status_code)
            await self.send({"type": "websocket.close", "code": code, "reason": ""})
        else:
            await answer(self.scope, self.receive, self.send)


TRANSACTIONS: Final = Middleware(Transactions, slot=Slot.ROUTER)
