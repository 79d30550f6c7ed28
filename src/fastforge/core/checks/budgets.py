"""Limits that do not fit together: of requests, of a stop, of processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from fastapi.routing import RouteContext, iter_route_contexts

from ..._utils import counted, where_written
from ...apps.folders import is_own
from ...checks import Level, Message, check
from ...lifecycle import RESOURCES
from ...web.limits import time_limit_of
from ..settings import Server
from ..timeline import Timeline
from .served import served

if TYPE_CHECKING:
    from ...project import Project

__all__ = [
    "connections_outlast_those_of_proxies",
    "handlers_end_within_a_stop",
    "processes_are_counted",
    "requests_end_within_a_stop",
    "resources_close_within_teardown",
]

PRODUCTION: Final = "production"
PROXIES_KEEP_S: Final = 60
"""How long nginx and the load balancers of the large clouds keep an idle connection, or longer."""


@check(tags={"server"}, deploy=True)
def requests_end_within_a_stop(project: Project) -> Iterator[Message]:
    """Find requests that may take longer than a stop waits for them, or for ever."""
    limit_s = project.settings.section(Server).request_timeout_s
    where = project.settings.where("SERVER")
    given_s, total = _given(project)
    if not limit_s:
        yield Message(
            id="server.W001",
            level=Level.WARNING,
            text="a request may take for ever: SERVER.request_timeout_s is 0, and at a stop it is"
            f" answered with 503 after {total}",
            hint="leave it at 30, and raise it for single handlers with @time_limit",
            where=where,
        )
    elif limit_s > given_s:
        yield Message(
            id="server.E030",
            level=Level.ERROR,
            text=f"a request may take {limit_s:g} s (SERVER.request_timeout_s), and a stop waits"
            f" {total} for it: each restart answers slower ones with 503",
            hint=f"raise SERVER.graceful_s by {limit_s - given_s:g}, or lower request_timeout_s",
            where=where,
        )


@check(tags={"server"}, deploy=True)
def handlers_end_within_a_stop(project: Project) -> Iterator[Message]:
    """Find handlers of the project whose own time limit is longer than a stop waits."""
    given_s, total = _given(project)
    app = served(project).app
    for context in iter_route_contexts(app.routes if app else []):
        limit_s = time_limit_of(context.endpoint, 0)
        if limit_s is None or limit_s > given_s:
            yield from _slow(project, context, limit_s, total)


def _slow(
    project: Project, context: RouteContext, limit_s: float | None, total: str
) -> Iterator[Message]:
    where = where_written(context.endpoint)
    if where is None or not is_own(project.settings, where.file):
        return
    name = getattr(context.endpoint, "__qualname__", None) or context.name
    time = "for ever" if limit_s is None else f"{limit_s:g} s"
    yield Message(
        id="server.W002",
        level=Level.WARNING,
        text=f"{name} may take {time} (@time_limit), and a stop waits {total} for it: a restart"
        " answers it with 503",
        hint="let a job do it, or raise SERVER.graceful_s",
        where=where,
    )


@check(tags={"server"}, deploy=True)
def resources_close_within_teardown(project: Project) -> Iterator[Message]:
    """Find resources whose own limit of closing is longer than that of all together."""
    teardown_s = project.settings.section(Server).teardown_s
    for component in project.registry.components(RESOURCES):
        limit_s = component.value.close_timeout_s
        if limit_s > teardown_s:
            yield Message(
                id="server.W003",
                level=Level.WARNING,
                text=f"the resource {component.value.name} may take {limit_s:g} s to close, and all"
                f" together have {teardown_s:g} s (SERVER.teardown_s)",
                hint="raise teardown_s, or lower its close_timeout_s",
                where=component.location,
            )


@check(tags={"server"}, deploy=True)
def connections_outlast_those_of_proxies(project: Project) -> Iterator[Message]:
    """Find a server that closes idle connections before the proxy in front of it does."""
    keep_alive_s = project.settings.section(Server).keep_alive_s
    if project.settings["TRUSTED_PROXIES"] and 0 < keep_alive_s <= PROXIES_KEEP_S:
        yield Message(
            id="server.W004",
            level=Level.WARNING,
            text=f"idle connections are closed after {keep_alive_s:g} s (SERVER.keep_alive_s), and"
            f" a proxy keeps them for {PROXIES_KEEP_S} unless told otherwise: it sends a request"
            " into one that is just being closed, and answers with 502",
            hint="leave it at 75, or silence this where the proxy keeps them for a shorter time",
            where=project.settings.where("SERVER"),
        )


@check(tags={"server"})
def processes_are_counted(project: Project) -> Iterator[Message]:
    """Find more processes on one host than on all together."""
    server = project.settings.section(Server)
    if server.workers and server.processes and server.workers > server.processes:
        yield Message(
            id="server.E031",
            level=Level.ERROR,
            text=f"{counted(server.workers, 'process serves', 'processes serve')} on each host"
            f" (SERVER.workers), and {server.processes} on all together (SERVER.processes)",
            hint="write the sum of all hosts as processes, or leave it out where there is one",
            where=project.settings.where("SERVER"),
        )


def _given(project: Project) -> tuple[float, str]:
    """Return how long a request that has begun may go on in production, and the sum of it."""
    stop = Timeline.of_server(project, environment=PRODUCTION)
    parts = {
        "pre-stop": stop.pre_stop_s,
        "drain": stop.drain_s,
        "linger": stop.linger_s,
        "graceful": stop.graceful_s,
    }
    total_s = sum(parts.values())
    shown = " + ".join(f"{seconds:g} {name}" for name, seconds in parts.items() if seconds)
    return total_s, f"{shown or 0} = {total_s:g} s"
