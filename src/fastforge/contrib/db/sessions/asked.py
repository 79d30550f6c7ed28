"""Asked: which databases handlers and tasks ask for, and who holds a connection in a thread."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi.routing import RouteContext, iter_route_contexts

from ...._utils import where_written
from ....exceptions import Location
from ....lifecycle import Plan, plan
from ....tasks.kinds import TASKS
from ....web.kinds import ROUTERS
from ....web.routing import included_routers
from ..resources import DEFAULT
from .handlers import is_non_atomic
from .unit import SessionReader, read_session

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["Asked", "asked_databases", "held_in_threads"]

UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One database that somebody asks for.

    Attributes:
        database: Its name in DATABASES, if it is there.
        who: `GET /api/archive`, or `the task shop.mail.send`.
        where: Where the handler or the task is written.
    """

    database: str
    who: str
    where: Location | None


def asked_databases(project: Project) -> Iterator[Asked]:
    """Yield what is asked for by handlers, by tasks, and by their dependencies at any depth."""
    for who, context in _routes(project):
        yield from _asked(_calls_of_route(context.dependant), who, context.endpoint)
    for task in project.registry.values(TASKS):
        planned = plan(task.function, takes_arguments=True)
        yield from _asked(_calls_of_plan(planned), f"the task {task.name}", task.function)


def held_in_threads(project: Project) -> Iterator[Asked]:
    """Yield the handlers that are a plain `def` and stand in a transaction while they run.

    What their dependencies have begun goes on in a thread, and while they wait for one: each has a
    connection all the time.
    """
    for who, context in _routes(project):
        is_atomic = UNSAFE & {*(context.methods or ())} and not is_non_atomic(context.endpoint)
        if is_atomic and _is_plain(context.endpoint):
            calls = [*_calls_of_route(context.dependant)]
            sessions = [SessionReader(DEFAULT)] if read_session in calls else []
            yield from _asked([*sessions, *calls], who, context.endpoint)


def _is_plain(endpoint: Callable[..., Any] | None) -> bool:
    return endpoint is not None and not inspect.iscoroutinefunction(inspect.unwrap(endpoint))


def _routes(project: Project) -> Iterator[tuple[str, RouteContext]]:
    """Yield the routes of the project's routers, with what they are called in messages."""
    routers = project.registry.components(ROUTERS)
    included = included_routers(*(router.value for router in routers))
    prefixes = {app.label: app.prefix for app in project.apps}
    for router in routers:
        if id(router.value) in included:  # its routes are those of the one that includes it
            continue
        for context in iter_route_contexts(router.value.routes):
            if getattr(context, "dependant", None) is not None:  # a mounted application has none
                yield f"{_method(context)} {prefixes[router.app]}{context.path}", context


def _asked(calls: Iterable[Any], who: str, function: Any) -> Iterator[Asked]:
    names = dict.fromkeys(call.name for call in calls if isinstance(call, SessionReader))
    for name in names:
        yield Asked(database=name, who=who, where=where_written(function))


def _method(context: RouteContext) -> str:
    return min(context.methods) if context.methods else "WEBSOCKET"


def _calls_of_route(dependant: Any) -> Iterator[Callable[..., Any] | None]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls_of_route(inner)


def _calls_of_plan(planned: Plan) -> Iterator[Callable[..., Any]]:
    for inner in planned.dependencies:
        yield inner.call
        yield from _calls_of_plan(inner.plan)
