"""Edge: the one layer outside everything else, error handling included."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..exceptions import ForgeError
from ..lifecycle.container import Container, enter_container, leave_container
from ..observability.context import new_request_id, request_id
from ..observability.tracebacks import tracebacks_are_wanted
from .deadline import EDGE
from .entrance import Entrance
from .exchange import Exchange, Rules
from .policy import EdgePolicy
from .socket import SocketExchange

__all__ = ["CONTAINER", "EDGE", "Edge", "EdgeState"]

CONTAINER: Final = "fastforge"
"""The key of the lifespan state under which a server finds the running Container."""

_FAILURES: Final = frozenset({"lifespan.startup.failed", "lifespan.shutdown.failed"})


class EdgeState:
    """What an application's lifespan tells its edge.

    Attributes:
        container: The running project; None before the start and after the stop.
        failure: Why the start or the stop failed, when it can be told in one line.
        in_flight: How many requests are being worked on, their background tasks included; no
            sockets, and nothing that was refused.
    """

    __slots__ = ("container", "failure", "in_flight")

    def __init__(self) -> None:
        self.in_flight = 0
        self.container: Container | None = None
        self.failure: ForgeError | None = None


class Edge:
    """The outermost layer: who asks, under which id, within which limits, and what became of it.

    The id is in the answer's `x-request-id` (that of a 500, a 404 and a socket's handshake too),
    in `request.state.request_id` and in the context variable `request_id`. It is made here; one
    that a client sends is taken over from trusted proxies alone.

    Surprises: an application that is mounted in another passes an edge twice. The outer one does
    all of this; the inner one changes the container, and only if its own project is running.

    Args:
        app: The application.
        state: What its lifespan tells.
        policy: What it allows and adds; by default everything and nothing.
    """

    def __init__(self, app: ASGIApp, state: EdgeState, policy: EdgePolicy | None = None) -> None:
        self.policy = policy or EdgePolicy()
        self.app = self.policy.around(app) if self.policy.around else app
        self.state = state
        self._rules = Rules(self.policy)
        self._entrance = Entrance(self.policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        container = self.state.container
        container_token = None if container is None else enter_container(container)
        id_token = None
        try:
            if EDGE in scope:
                await self.app(scope, receive, send)
                return
            foreign_id = "" if self.policy.client_of is None else self._entrance.foreign_id(scope)
            new_id = foreign_id or new_request_id()
            scope.setdefault("state", {})["request_id"] = new_id
            id_token = request_id.set(new_id)
            if scope["type"] == "http":
                await self._answer(Exchange(self._rules, scope, send, container, new_id), receive)
            else:
                await self._converse(SocketExchange(self._rules, scope, receive, send, new_id))
        finally:
            if id_token is not None:
                request_id.reset(id_token)
            if container_token is not None:
                leave_container(container_token)

    async def _answer(self, exchange: Exchange, receive: Receive) -> None:
        scope, policy, state = exchange.scope, self.policy, self.state
        scope[EDGE] = exchange
        probe = policy.probes.get(_path_of(scope)) if policy.probes else None
        if probe is not None:
            exchange.is_probe = True
            await exchange.run(probe, receive)
            return
        refusal = self._entrance.refusal(scope)
        limit = policy.concurrency_limit
        if refusal is None and limit is not None and state.in_flight >= limit:
            refusal = self._entrance.busy()
        if refusal is not None:
            await exchange.run(refusal, receive)
            return
        state.in_flight += 1
        try:
            if self._rules.deadlines is not None:
                exchange.limit(self._rules.deadlines)
            await exchange.run(self.app, receive)
        finally:
            state.in_flight -= 1

    async def _converse(self, exchange: SocketExchange) -> None:
        exchange.scope[EDGE] = exchange
        refusal = self._entrance.refusal(exchange.scope)
        if refusal is None:
            await exchange.run(self.app)
        else:
            await exchange.refuse(refusal)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, self._telling(scope, send))
        finally:
            if self.policy.access_log is not None:
                self.policy.access_log.close()

    def _telling(self, scope: Scope, send: Send) -> Send:
        """Give the server the container, or why the start failed in one line of our own."""

        async def tell(message: Message) -> None:
            # Here and not by the lifespan's `yield`: Starlette refuses that where a server, as
            # it may, keeps no state.
            if message["type"] == "lifespan.startup.complete" and "state" in scope:
                scope["state"][CONTAINER] = self.state.container
            failure = None if tracebacks_are_wanted() else self.state.failure
            if message["type"] in _FAILURES and failure is not None:
                message["message"] = str(failure)
            await send(message)

        return tell


def _path_of(scope: Scope) -> str:
    """Return the path below the one that the server itself is mounted at."""
    path: str = scope.get("path", "")
    root_path: str = scope.get("root_path", "")
    return path.removeprefix(root_path) if root_path else path
