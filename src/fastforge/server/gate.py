"""Gate: what a server that is told to stop lets through to an application that does not know it.

A project knows it, and refuses in its own words; other applications get this in front of them once
their server stops.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from ..middleware.entrance import STOPPING
from ..middleware.socket import REFUSAL_EXTENSION
from ..observability.context import new_request_id

__all__ = ["Gate", "identify", "refuse"]

TRY_AGAIN_LATER: Final = 1013


class Gate:
    """Stands in front of an application whose server stops; new web sockets it refuses with 503.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "websocket":
            return refuse(scope, receive, send)
        return self._app(scope, receive, send)


def identify(scope: Scope) -> str:
    """Return the id of a request, which has one from now on."""
    state: dict[str, Any] = scope.setdefault("state", {})
    found: str = state.setdefault("request_id", new_request_id())
    return found


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with 503, as a problem with an id and the time to come back."""
    if scope["type"] == "websocket" and REFUSAL_EXTENSION not in scope.get("extensions", ()):
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        return
    from ..web.errors.responses import problem_response  # needed by few, and by none at the start

    headers = {"Retry-After": "1", "X-Request-Id": identify(scope)}
    response = problem_response(503, detail=STOPPING, code="middleware.E005", headers=headers)
    await response(scope, receive, send)
