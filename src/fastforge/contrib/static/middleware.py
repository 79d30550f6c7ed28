"""The layer that serves the files, around the router."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from ...exceptions import ContainerMissing
from ...lifecycle import Container, current_container
from ...web.middleware import Middleware, Slot
from .resources import static_folders
from .settings import Static

__all__ = ["STATIC_FILES", "StaticFilesLayer"]

METHODS: Final = frozenset({"GET", "HEAD"})


class StaticFilesLayer:
    """Answers GET and HEAD below STATIC.url when there is such a file, and asks the router else.

    A route that stands below that path itself is asked first, so that no file hides it. A route
    for everything (`/{path:path}`) is not: files would never be seen beside it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._routes: _Routes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope)
        await (self.app if answer is None else answer)(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response | None:
        container = _container()
        if container is None or scope["type"] != "http" or scope["method"] not in METHODS:
            return None
        url = container.settings.section(Static).url
        path = _route_path(scope)
        if not path.startswith(f"{url}/") or self._is_routed(path, url, scope):
            return None
        return await container[static_folders].answer(path.removeprefix(f"{url}/"), scope)

    def _is_routed(self, path: str, url: str, scope: Scope) -> bool:
        if self._routes is None:  # at the first request: routes may be added until then
            self._routes = _Routes(url, scope["app"].routes)
        return self._routes.have(path, scope["method"])


class _Routes:
    """The routes of the application that stand below a path."""

    def __init__(self, url: str, routes: list[BaseRoute]) -> None:
        self.url = url
        self.routes = routes

    def have(self, path: str, method: str) -> bool:
        return any(
            pattern.match(path) and (methods is None or method in methods)
            for pattern, methods in self._patterns
        )

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], set[str] | None], ...]:
        return tuple(
            (compile_path(_path_of(context))[0], context.methods)
            for context in iter_route_contexts(self.routes)
            if f"{context.path}/".startswith(f"{self.url}/")
        )


def _path_of(context: RouteContext) -> str:
    path = context.path or ""
    return f"{path}/{{path:path}}" if isinstance(context.original_route, Mount) else path


def _container() -> Container | None:
    try:
        return current_container()
    except ContainerMissing:
        return None


def _route_path(scope: Scope) -> str:
    """Return the path without what the server says stands before the application."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


STATIC_FILES: Final = Middleware(StaticFilesLayer, slot=Slot.ROUTER)
