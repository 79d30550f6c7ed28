"""Answer: when the page is shown, and how it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ...exceptions import ContainerMissing
from ...lifecycle import Container, current_container
from .about import About

__all__ = ["accepts_html", "add_welcome_page"]

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_JSON: Final = frozenset({"application/json", "application/problem+json"})


def add_welcome_page(app: FastAPI, about: About) -> None:
    """Let an application answer / with the welcome page, whenever no route of its own does.

    It takes the place of the router's 404, which is asked when nothing else has matched: routes,
    mounts and middleware that come later are in front of it. An application whose author has set
    another `router.default` keeps that one.

    Args:
        app: The application.
        about: What the page tells of the project.
    """
    router = app.router
    if router.default == router.not_found:
        router.default = _Welcome(app, about, otherwise=router.not_found)


def accepts_html(accept: str) -> bool:
    """Return whether an Accept header names HTML, and JSON not before it.

    A browser does. `*/*`, which programs send, does not: they are answered as in production.
    """
    html, json = _quality(accept, _HTML), _quality(accept, _JSON)
    return html > 0 and html >= json


class _Welcome:
    """What a router asks when no route matches."""

    def __init__(self, app: FastAPI, about: About, *, otherwise: ASGIApp) -> None:
        self.app = app
        self.about = about
        self.otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _asks_for_it(scope):
            from .facts import gather_facts  # not before somebody looks
            from .page import render

            facts = await gather_facts(self.app, self.about, _container(), root=_root(scope))
            page = render(facts)
            body = page.html.encode() if scope["method"] == "GET" else b""
            headers = {
                "content-security-policy": page.policy,
                "content-length": str(len(page.html.encode())),
                "cache-control": "no-store",
                "referrer-policy": "no-referrer",
                "vary": "Accept",
                "x-content-type-options": "nosniff",
            }
            await HTMLResponse(body, headers=headers)(scope, receive, send)
        else:
            await self.otherwise(scope, receive, send)


def _asks_for_it(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] in ("GET", "HEAD")
        and scope["path"].removeprefix(_root(scope)) in ("", "/")
        and accepts_html(", ".join(Headers(scope=scope).getlist("accept")))
    )


def _root(scope: Scope) -> str:
    """Return where the application is mounted; empty at the root of its host."""
    return str(scope.get("root_path", "")).rstrip("/")


def _container() -> Container | None:
    try:
        return current_container()
    except ContainerMissing:
        return None


def _quality(accept: str, types: Iterable[str]) -> float:
    """Return the highest quality that an Accept header gives to one of some types."""
    found = [0.0]
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        if name in types:
            values = [each[2:] for each in parameters if each.startswith("q=")]
            found.append(_number(values[0]) if values else 1.0)
    return max(found)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
