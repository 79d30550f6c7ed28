"""Sessions: the layer around the router that saves a session just before the answer."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...web.middleware import Middleware, Slot
from .afterwards import look_after
from .answer import answered
from .forms import is_form, read_field
from .origins import SAFE_METHODS
from .visit import Visit, visit_here

__all__ = ["SESSIONS", "SessionLayer"]


class SessionLayer:
    """Gives every request and socket its browser's session, and saves what became of it.

    It stands inside the layer that commits: what is saved belongs to the same transaction, and an
    answer that takes the place of another one, since the commit has failed, sets no cookie.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        visit = Visit(scope)
        token = visit_here.set(visit)
        try:
            if scope["type"] == "websocket":
                await self.app(scope, receive, send)
                return None
            if scope["method"] not in SAFE_METHODS and is_form(scope):
                receive = await _with_field(visit, receive)
            await _Exchange(visit, send).run(self.app, receive)
            await look_after(visit)
        finally:
            visit_here.reset(token)


async def _with_field(visit: Visit, receive: Receive) -> Receive:
    """Read the token of a form, where nothing else can tell whose page has sent it."""
    if visit.secret and visit.keeper.csrf.needs_field(visit.scope):
        visit.field, receive = await read_field(receive)
    return receive


class _Exchange:
    """One request and its answer."""

    __slots__ = ("_failure", "_has_begun", "_send", "_visit")

    def __init__(self, visit: Visit, send: Send) -> None:
        self._visit = visit
        self._send = send
        self._has_begun = False
        self._failure: Exception | None = None

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        try:
            await app(self._visit.scope, receive, self._send_when_saved)
        except Exception:
            if self._failure is not None:  # whatever has become of it on its way
                raise self._failure from None
            raise

    async def _send_when_saved(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._has_begun:
            self._has_begun = True
            message = await self._finished(message)
        await self._send(message)

    async def _finished(self, message: Message) -> Message:
        visit, cookie = self._visit, None
        if visit.opened is not None:
            try:
                cookie = await visit.save() if message["status"] < 400 else None
            except Exception as error:
                self._failure = error
                raise
            visit.opened.close("the answer has begun")
        return answered(visit, message, cookie) if visit.is_used else message


SESSIONS: Final = Middleware(SessionLayer, slot=Slot.ROUTER)
