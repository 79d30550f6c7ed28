"""Plain `def` where each request pays a thread for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from fastapi.routing import RouteContext, iter_route_contexts

from ..._utils import where_written, without_partials
from ...apps.folders import is_own
from ...checks import Level, Message, check
from ...exceptions import Location
from ...web.kinds import ROUTERS
from ..settings import Server

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["handlers_are_async"]

ASYNC_UNLESS_IT_BLOCKS: Final = "write async def, unless it blocks"
ASYNC_AND_OFFLOAD: Final = "write async def; what blocks in it goes into await offload(...)"
ASYNC_FOR_A_CLASS: Final = "depend on an async def that returns it"


@check(tags={"web", "async"})
def handlers_are_async(project: Project) -> Iterator[Message]:
    """Tell which handlers and dependencies of the project's own run in a thread."""
    threads = project.settings.section(Server).threads
    contexts = [
        context
        for router in project.registry.values(ROUTERS)
        for context in iter_route_contexts(router.routes)
        if getattr(context, "dependant", None) is not None  # a mounted application has none
    ]
    # Those of async handlers first: there a dependency is told as what it costs them.
    contexts.sort(key=lambda context: not _is_async(context.endpoint))
    seen: set[int] = set()
    for context in contexts:
        for call in _calls(context):
            place = _place(call)
            if id(call) in seen or place is None or not is_own(project.settings, place.file):
                continue
            seen.add(id(call))
            if not _is_async(call):
                yield _told(call, place, context.endpoint, threads)


def _calls(context: RouteContext) -> Iterator[Callable[..., Any]]:
    """Yield a route's handler and its dependencies, at any depth."""
    if context.endpoint is not None:
        yield context.endpoint
    waiting = list(context.dependant.dependencies)
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        if dependant.call is not None:
            yield dependant.call


def _is_async(call: Any) -> bool:
    """Return whether FastAPI awaits it; a class runs in a thread, as a plain function does."""
    target = _behind(call)
    if not inspect.isroutine(target) and not inspect.isclass(target):
        target = inspect.unwrap(type(target).__call__)
    return inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target)


def _behind(call: Any) -> Any:
    return inspect.unwrap(without_partials(call))


def _place(call: Any) -> Location | None:
    target = _behind(call)
    if not inspect.isroutine(target) and not inspect.isclass(target):
        target = type(target)
    return where_written(target)


def _told(call: Any, place: Location, handler: Any, threads: int) -> Message:
    name = _name(call)
    if call is handler:
        return Message(
            id="web.I001",
            level=Level.INFO,
            text=f"the handler {name} is a plain def, and runs in one of {threads} threads",
            hint=ASYNC_UNLESS_IT_BLOCKS,
            where=place,
        )
    if not _is_async(handler):
        return Message(
            id="web.I002",
            level=Level.INFO,
            text=f"the dependency {name} is no async def: each request waits for one of {threads}"
            " threads, as it does for its handler",
            hint=ASYNC_UNLESS_IT_BLOCKS,
            where=place,
        )
    is_class = inspect.isclass(_behind(call))
    return Message(
        id="web.W002",
        level=Level.WARNING,
        text=f"the dependency {name} of the async handler {_name(handler)} is no async def: each"
        f" request waits for one of {threads} threads, at about 0.2 ms of CPU",
        hint=ASYNC_FOR_A_CLASS if is_class else ASYNC_AND_OFFLOAD,
        where=place,
    )


def _name(call: Any) -> str:
    target = _behind(call)
    return str(getattr(target, "__qualname__", None) or type(target).__qualname__)
