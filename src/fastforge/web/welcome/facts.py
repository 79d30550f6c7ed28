"""Facts: what the welcome page tells of a running project."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import WebSocketRoute

from ...exceptions import Location
from ...lifecycle import Container, Health, check_health, read_notices
from .about import About

__all__ = ["Facts", "RouteFact", "Step", "gather_facts"]

EXAMPLES: Final = ("blog", "news", "journal")
"""What the app could be called that the page proposes to make; the first one that is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFact:
    """What the application answers: `docs` is the link to its documentation, if it has one."""

    methods: tuple[str, ...]
    path: str
    endpoint: str
    where: str
    docs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do next: a command to type, or a page to open."""

    text: str
    command: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the page tells; `resources` is None when the lifespan has not been run."""

    about: About
    docs: str
    routes: tuple[RouteFact, ...]
    resources: tuple[Health, ...] | None
    notices: tuple[str, ...]
    jobs: str
    steps: tuple[Step, ...]


async def gather_facts(
    app: FastAPI, about: About, container: Container | None, *, root: str
) -> Facts:
    """Ask the application, its resources and its notices; it takes two seconds at most.

    Args:
        app: The application.
        about: What is known of its project.
        container: The running project; None when nobody runs the application's lifespan.
        root: What stands before the application's paths in the browser.
    """
    resources: tuple[Health, ...] | None = None
    notices: tuple[str, ...] = ()
    if container is not None:
        asked, notices = await asyncio.gather(
            check_health(container, all_resources=True), read_notices(container)
        )
        labels = {each.label for each in about.apps}
        resources = tuple(each for each in asked if each.app in labels)
    docs = f"{root}{app.docs_url}" if app.openapi_url and app.docs_url else ""
    return Facts(
        about=about,
        docs=docs,
        routes=tuple(_routes(app, docs)),
        resources=resources,
        notices=notices,
        jobs=about.jobs(container) if container is not None else "",
        steps=tuple(_steps(about, docs)),
    )


def _routes(app: FastAPI, docs: str) -> Iterator[RouteFact]:
    own = {app.openapi_url, app.docs_url, app.redoc_url, app.swagger_ui_oauth2_redirect_url}
    for route in iter_route_contexts(app.routes):
        if route.path in own:
            continue
        endpoint = route.endpoint or getattr(route.original_route, "app", None)
        function = inspect.unwrap(endpoint) if callable(endpoint) else endpoint
        yield RouteFact(
            methods=_methods(route),
            path=route.path or "/",
            endpoint=_qualified(function),
            where=str(Location.of(function) or "") if callable(function) else "",
            docs=_documentation(route, docs),
        )


def _methods(route: RouteContext) -> tuple[str, ...]:
    if route.methods:
        return tuple(sorted(route.methods - {"HEAD"}) or ["HEAD"])
    return ("WEBSOCKET" if isinstance(route.original_route, WebSocketRoute) else "ANY",)


def _qualified(function: object) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}.{name}"


def _documentation(route: RouteContext, docs: str) -> str:
    """Return the place of a route in the interactive documentation, as Swagger UI names it."""
    unique_id: Any = _attribute(route, "unique_id")
    if not docs or not unique_id or not _attribute(route, "include_in_schema"):
        return ""
    tags: Sequence[Any] = _attribute(route, "tags") or ["default"]
    tag = getattr(tags[0], "value", tags[0])
    return f"{docs}#/{quote(str(tag), safe='')}/{quote(str(unique_id), safe='')}"


def _attribute(route: RouteContext, name: str) -> Any:
    try:
        return getattr(route, name)
    except AttributeError:  # a mount, or a route of Starlette's own
        return None


def _steps(about: About, docs: str) -> Iterator[Step]:
    manage = "python manage.py" if (about.settings.root / "manage.py").is_file() else "manage"
    has_database = any(app.name == "fastforge.contrib.db" for app in about.apps)
    is_new = all(app.name.startswith("fastforge.") for app in about.apps)
    first = "Make the first app" if is_new else "Make another app"
    taken = {app.label for app in about.apps}
    name = next((name for name in EXAMPLES if name not in taken), "my_app")
    if has_database:
        fields = " --resource post title:str body:text"
        text = f"{first}, with a table, routes that read and write it, and tests"
        yield Step(text=text, command=f"{manage} startapp {name}{fields}")
        yield Step(text="Bring its table into the database", command=f"{manage} migrate")
    else:
        yield Step(text=first, command=f"{manage} startapp {name}")
    if docs:
        yield Step(text="Try the routes in the interactive documentation", link=docs)
    yield Step(text="Run the tests", command=f"{manage} test")
    yield Step(text="List all that the project is made of", command=f"{manage} inspect")
