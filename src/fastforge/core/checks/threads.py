"""Plain `def` where each request pays a thread for it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from fastapi.routing import RouteContext, iter_route_contexts

from ...apps.folders import is_own
from ...checks import Level, Message, check
from ...exceptions import Location
from ...web.kinds import ROUTERS

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["handlers_are_async"]


@check(tags={"web", "async"})
def handlers_are_async(project: Project) -> Iterator[Message]:
    """Tell which handlers and dependencies of the project's own run in a thread."""
    seen: set[int] = set()
    for context in iter_route_contexts(
        [route for router in project.registry.values(ROUTERS) for route in router.routes]
    ):
        for call, is_handler in _calls(context):
            place = _place(call)
            if id(call) in seen or place is None or not is_own(project.settings, place.file):
                continue
            seen.add(id(call))
            if not _is_async(call):
                yield _told(call, place, is_handler)


def _calls(context: RouteContext) -> Iterator[tuple[Callable[..., Any], bool]]:
    """Yield a route's handler and its dependencies, at any depth."""
    dependant = getattr(context, "dependant", None)
    if context.endpoint is not None and dependant is not None:  # a mounted application has none
        yield context.endpoint, True
    waiting = list(dependant.dependencies) if dependant else []
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        if dependant.call is not None:
            yield dependant.call, False


def _is_async(call: Any) -> bool:
    target = _behind(call)
    if not inspect.isroutine(target) and not inspect.isclass(target):
        target = type(target).__call__
    return inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target)


def _behind(call: Any) -> Any:
    while isinstance(call, functools.partial):
        call = call.func
    return inspect.unwrap(call)


def _place(call: Any) -> Location | None:
    target = _behind(call)
    if not inspect.isroutine(target) and not inspect.isclass(target):
        target = type(target)
    try:
        return Location(inspect.getsourcefile(target) or "", inspect.getsourcelines(target)[1])
    except (TypeError, OSError):  # written in C, or made by a program
        return None


def _told(call: Any, place: Location, is_handler: bool) -> Message:
    target = _behind(call)
    name = getattr(target, "__qualname__", None) or type(target).__qualname__
    hint = "write async def, unless it blocks"
    if is_handler:
        return Message(
            id="web.I001",
            level=Level.INFO,
            text=f"the handler {name} is a plain def, and runs in one of 40 threads",
            hint=hint,
            where=place,
        )
    return Message(
        id="web.I002",
        level=Level.INFO,
        text=f"the dependency {name} is no async def: each request waits for one of 40 threads",
        hint=hint,
        where=place,
    )
