"""Edge: the one layer outside everything else, error handling included."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import nullcontext
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..lifecycle.container import use_container
from ..observability.context import request_id
from ..observability.told import left_out_if_told
from ..observability.tracebacks import tracebacks_are_wanted
from .clean import in_clean_context
from .deadline import EDGE
from .exchange import Exchange
from .policy import EdgePolicy
from .rules import Rules
from .socket import SocketExchange
from .state import EdgeState

__all__ = ["CONTAINER", "EDGE", "Edge", "EdgeState"]

CONTAINER: Final = "fastforge"
"""The key of the lifespan state under which a server finds the running Container."""

_FAILURES: Final = frozenset({"lifespan.startup.failed", "lifespan.shutdown.failed"})


class Edge:
    """The outermost layer: who asks, under which id, within which limits, and what became of it.

    The id is in the answer's `x-request-id` (that of a 500, a 404 and a socket's handshake too),
    in `request.state.request_id` and in the context variable `request_id`. It is made here; one
    that a client sends is taken over from trusted proxies alone.

    What a request binds in context variables, ours and everybody's, is gone with it: the next one
    on the same connection begins without, under servers as well that start it from within.

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
        self._rules = Rules(self.app, state, self.policy)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: it would cost every request.
        kind = scope["type"]
        if kind == "http" and EDGE not in scope:
            run = Exchange(self._rules, scope, send).run(receive)
            return run if request_id.get() is None else in_clean_context(run)
        if kind == "lifespan":
            return self._live(scope, receive, send)
        if EDGE in scope:
            return self._run_inside(scope, receive, send)
        run = SocketExchange(self._rules, scope, receive, send).run()
        return run if request_id.get() is None else in_clean_context(run)

    async def _run_inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run for a request that an outer edge has seen already."""
        container = self.state.container
        with nullcontext() if container is None else use_container(container):
            await self.app(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        log = self.policy.access_log
        try:
            with nullcontext() if log is None else left_out_if_told():
                await self.app(scope, receive, self._telling(scope, send))
        finally:
            if log is not None:
                log.close()

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
