"""Pages: headers of their own for /docs and /redoc, which the settings' headers would break."""

from __future__ import annotations

from typing import Final, TypeGuard

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..project import Project
from ..web.settings import Security

__all__ = ["let_pages_work"]

OPENER: Final = b"cross-origin-opener-policy"
CONTENT: Final = b"content-security-policy"

# The page of Swagger UI opens a window on the site where somebody logs in with OAuth 2, and the
# page to which that site leads back tells it the result: both have to stay in touch.
OPENS_WINDOWS: Final = b"same-origin-allow-popups"
HAS_AN_OPENER: Final = b"unsafe-none"
# Both load their scripts from elsewhere, which FastAPI decides, and hold a script of their own.
NOT_IN_FRAMES: Final = b"frame-ancestors 'none'"

_Headers = dict[bytes, bytes]


def let_pages_work(app: FastAPI, project: Project) -> None:
    """Give FastAPI's own pages headers of their own, where the settings' would break them.

    Args:
        app: The application; pages of the user's at the same paths keep what they have.
        project: The project, with what it tells browsers.
    """
    security = project.settings.section(Security)
    openers: dict[str | None, bytes | None] = {
        app.docs_url: OPENS_WINDOWS,
        app.swagger_ui_oauth2_redirect_url: HAS_AN_OPENER,
        app.redoc_url: None,
    }
    for route in app.routes:
        if not _is_of_fastapi(route) or route.path not in openers:
            continue
        headers: _Headers = {}
        opener = openers[route.path]
        if opener and security.opener_policy:
            headers[OPENER] = opener
        if security.content_security_policy:
            headers[CONTENT] = NOT_IN_FRAMES
        route.app = _Page(route.app, headers)


def _is_of_fastapi(route: BaseRoute) -> TypeGuard[Route]:
    return type(route) is Route and route.endpoint.__module__ == FastAPI.__module__


class _Page:
    def __init__(self, app: ASGIApp, headers: _Headers) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self.headers.items()]}
            await send(message)

        await self.app(scope, receive, send_page)
