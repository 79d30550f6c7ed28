"""Edge: the one layer outside everything else, error handling included."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..exceptions import ForgeError
from ..lifecycle import Container, use_container
from ..observability.context import new_request_id, request_id
from ..observability.tracebacks import tracebacks_are_wanted
from .policy import EdgePolicy

__all__ = ["CONTAINER", "EDGE", "Edge", "EdgeState"]

EDGE: Final = "fastforge.edge"
"""The key of the scope that says that a request has passed an edge already."""
CONTAINER: Final = "fastforge"
"""The key of the lifespan state under which a server finds the running Container."""

_REQUEST_ID: Final = b"x-request-id"
_ANSWERS: Final = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"}
)
_FAILURES: Final = frozenset({"lifespan.startup.failed", "lifespan.shutdown.failed"})


class EdgeState:
    """What an application's lifespan tells its edge.

    Attributes:
        container: The running project; None before the start and after the stop.
        failure: Why the start or the stop failed, when it can be told in one line.
    """

    __slots__ = ("container", "failure")

    def __init__(self) -> None:
        self.container: Container | None = None
        self.failure: ForgeError | None = None


class Edge:
    """Gives every request and socket an id and the running project's container.

    The id is in the answer's `x-request-id` (that of a 500, a 404 and a socket's handshake too),
    in `request.state.request_id` and in the context variable `request_id`. It is always made
    here: what a client sends is not taken over.

    Surprises: an application that is mounted in another passes an edge twice. The outer one gives
    the id; the inner one changes the container, and only if its own project is running.
    """

    def __init__(self, app: ASGIApp, state: EdgeState, policy: EdgePolicy | None = None) -> None:
        self.policy = policy or EdgePolicy()
        self.app = self.policy.around(app) if self.policy.around else app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, self._telling(scope, send))
            return
        container = self.state.container
        with nullcontext() if container is None else use_container(container):
            if EDGE in scope:
                await self.app(scope, receive, send)
            else:
                await self._identified(scope, receive, send)

    async def _identified(self, scope: Scope, receive: Receive, send: Send) -> None:
        new_id = new_request_id()
        scope[EDGE] = True
        scope.setdefault("state", {})["request_id"] = new_id
        header = (_REQUEST_ID, new_id.encode())

        async def send_with_id(message: Message) -> None:
            if message["type"] in _ANSWERS:
                # A second id, of an older middleware of the user's, would contradict the log.
                others = [each for each in message.get("headers", ()) if each[0] != _REQUEST_ID]
                message["headers"] = [*others, header]
            await send(message)

        token = request_id.set(new_id)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            request_id.reset(token)

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
