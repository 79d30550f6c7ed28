"""Asked: which databases the handlers and tasks of a project ask for, by `using`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi.routing import RouteContext, iter_route_contexts

from ...._utils import where_written
from ....exceptions import Location
from ....lifecycle import Plan, plan
from ....tasks.kinds import TASKS
from ....web.kinds import ROUTERS
from ....web.routing import included_routers
from .unit import SessionReader

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["Asked", "asked_databases"]


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
    routers = project.registry.components(ROUTERS)
    included = included_routers(*(router.value for router in routers))
    prefixes = {app.label: app.prefix for app in project.apps}
    for router in routers:
        if id(router.value) in included:  # its routes are those of the one that includes it
            continue
        for context in iter_route_contexts(router.value.routes):
            if getattr(context, "dependant", None) is not None:  # a mounted application has none
                who = f"{_method(context)} {prefixes[router.app]}{context.path}"
                yield from _asked(_calls_of_route(context.dependant), who, context.endpoint)
    for task in project.registry.values(TASKS):
        planned = plan(task.function, takes_arguments=True)
        yield from _asked(_calls_of_plan(planned), f"the task {task.name}", task.function)


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
