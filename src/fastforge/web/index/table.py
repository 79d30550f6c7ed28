"""Table: the index as it stands at a moment, and the routing that it does."""

from __future__ import annotations

from collections.abc import Awaitable

from fastapi import APIRouter
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from .candidates import Candidates
from .private import Leaf, Snapshot, get_route_path, leaves
from .states import States

__all__ = ["RouteIndex"]


class RouteIndex:
    """An ASGI application that stands for a router's own: gives it the routes that may match.

    It decides nothing otherwise than FastAPI, in the order of declaration: `Candidates` calls at
    once what FastAPI would call, and lets FastAPI itself do what is not that simple, on a router
    that has fewer routes.

    Args:
        router: The router of an application.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._table: _Table | None = None

    @property
    def app(self) -> ASGIApp:
        """The routing that it stands for, as each layer shows what it encloses."""
        return self._router.app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: it would cost every request.
        router = self._router
        if scope["type"] == "lifespan" or (scope.get("root_path") or "").endswith("/"):
            # Such a root path takes part in the redirection of slashes.
            return APIRouter.app(router, scope, receive, send)
        table = self._table
        if table is None or not table.snapshot.holds(router):
            table = self._table = _Table(router, first=_Late(self))
        scope.setdefault("router", router)
        path = get_route_path(scope)
        return table.candidates(path).select(scope, path)(scope, receive, send)

    def is_late(self) -> bool:
        """Whether a router that ours includes has got routes since the table was made."""
        return self._table is not None and not self._table.snapshot.holds_below(self._router)

    def forget(self) -> None:
        """Make the table anew for the next request."""
        self._table = None


class _Table:
    def __init__(self, router: APIRouter, *, first: BaseRoute) -> None:
        self.snapshot = Snapshot(router)  # before its routes are read: none is missed
        self._router = router
        self._first = first
        self._leaves: tuple[Leaf, ...] = tuple(leaves(router.routes))
        self._states = States([leaf.pattern for leaf in self._leaves])

    def candidates(self, path: str) -> Candidates:
        state = self._states.find(path)
        found: Candidates | None = state.result
        if found is None:
            some = [self._leaves[number] for number in state.routes()]
            found = state.result = Candidates(self._router, some, self._first)
        return found


class _Late(BaseRoute):
    """Takes a request that no route matched, when there are routes that the table has not seen."""

    def __init__(self, index: RouteIndex) -> None:
        self._index = index

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.FULL if self._index.is_late() else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._index.forget()
        await self._index(scope, receive, send)
