"""Lifespans that no server starts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from ...checks import Level, Message, check
from ...exceptions import Location
from ...web.kinds import ROUTERS
from ...web.routing import included_routers
from .served import served

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["lifespans_are_started"]

# How FastAPI calls the lifespan that runs the handlers of `on_event`, and the one that it makes
# of a router's and that of a router which this one includes.
_DEFAULT: Final = "_DefaultLifespan"
_MERGED: Final = "_merge_lifespan_context.<locals>.merged_lifespan"
_ENCLOSED: Final = "enclose.<locals>.lifespan"
"""How we call the one that the project's life is around."""


@check(tags={"web"})
def lifespans_are_started(project: Project) -> Iterator[Message]:
    """Warn of what looks as if it were run when the server starts, and is not."""
    seen: set[int] = set()
    prefixes = {app.label: app.prefix for app in project.apps}
    routers = project.registry.components(ROUTERS)
    included = included_routers(*(component.value for component in routers))
    for component in routers:
        if id(component.value) not in included:
            prefix = prefixes.get(component.app, "")
            yield from _mounted(component.value.routes, component.location, seen, prefix)
    found = served(project)
    if found.app is not None:
        yield from _mounted(found.app.routes, found.where, seen)
        yield from _events(found.app)


# --- mounted applications ------------------------------------------------------------------------


def _mounted(
    routes: Iterable[BaseRoute], where: Location | None, seen: set[int], prefix: str = ""
) -> Iterator[Message]:
    for context in iter_route_contexts([*routes]):
        route: Any = context.original_route
        router = _router_of(getattr(route, "app", None))
        if router is None or id(route) in seen:
            continue
        seen.add(id(route))
        path = prefix + (context.path or "")
        if _does_something(router.lifespan_context):
            yield _not_started(path or "/", where)
        yield from _mounted(router.routes, where, seen, path)


def _router_of(app: Any) -> Any | None:
    """Return the router of an application, also of one behind layers; None of any other."""
    while app is not None:
        router = getattr(app, "router", app)
        if hasattr(router, "lifespan_context"):
            return router
        app = getattr(app, "app", None)
    return None


def _not_started(path: str, where: Location | None) -> Message:
    return Message(
        id="web.W003",
        level=Level.WARNING,
        text=f"the application that is mounted at {path} has a lifespan, which is never run:"
        " a server starts the outermost application alone",
        hint="open what it needs in a resource, or include its routers in place of mounting it",
        where=where,
    )


# --- on_event ------------------------------------------------------------------------------------


def _events(app: FastAPI) -> Iterator[Message]:
    """Yield the handlers of `on_event` that a lifespan of the application's own displaces."""
    run = {id(each) for router in _event_routers(app) for each in _handlers_of(router)}
    for handler in _handlers_of(app.router):
        if id(handler) not in run:
            name = getattr(handler, "__qualname__", None) or type(handler).__qualname__
            yield Message(
                id="web.W004",
                level=Level.WARNING,
                text=f"the event handler {name} is never run: the application has a lifespan",
                hint="call it in the lifespan",
                where=Location.of(inspect.unwrap(handler)),
            )


def _handlers_of(router: Any) -> list[Callable[..., Any]]:
    return [*getattr(router, "on_startup", ()), *getattr(router, "on_shutdown", ())]


def _event_routers(app: FastAPI) -> Iterator[Any]:
    for part in _parts(app.router.lifespan_context):
        if type(part).__name__ == _DEFAULT and hasattr(part, "_router"):
            yield part._router


# --- what a lifespan is made of ------------------------------------------------------------------


def _does_something(lifespan: Any) -> bool:
    """Return whether anything would happen in a lifespan."""
    return any(
        type(part).__name__ != _DEFAULT or _handlers_of(getattr(part, "_router", None))
        for part in _parts(lifespan)
    )


def _parts(lifespan: Any) -> Iterator[Any]:
    """Yield the lifespans that FastAPI, or our own enclosing, has put together to one."""
    function = inspect.unwrap(lifespan)
    name = getattr(function, "__qualname__", "")
    if name != _MERGED:
        yield lifespan
    if name in (_MERGED, _ENCLOSED):
        for cell in function.__closure__ or ():
            if _is_lifespan(cell.cell_contents):
                yield from _parts(cell.cell_contents)


def _is_lifespan(value: Any) -> bool:
    return inspect.isfunction(value) or type(value).__name__ == _DEFAULT
