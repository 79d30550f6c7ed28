"""The layer by which templates know the request that is answered."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from ...web.current import request_scope
from ...web.middleware import Middleware, Slot

__all__ = ["CURRENT_REQUEST", "CurrentRequest"]


class CurrentRequest:
    """Keeps a request's scope where templates find it, so that no handler has to hand it on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        token = request_scope.set(scope if scope["type"] == "http" else None)
        try:
            await self.app(scope, receive, send)
        finally:
            request_scope.reset(token)


CURRENT_REQUEST: Final = Middleware(CurrentRequest, slot=Slot.ROUTER)
