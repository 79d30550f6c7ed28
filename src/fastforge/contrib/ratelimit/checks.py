"""Checks of limits that go by nobody, are kept nowhere, or hold for one process alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from ..._utils import where_written
from ...cache.backend import MEMORY, CacheBackend
from ...cache.kinds import CACHE_BACKENDS
from ...checks import Level, Message, check
from ...core.checks.served import served
from ...core.processes import servers_of
from ...exceptions import Location
from .dependencies import rule_of
from .resources import storage_hint, storage_name
from .rules import by_hint, callers_of
from .settings import RateLimit

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["limits_are_shared", "limits_go_by_somebody", "limits_have_a_storage"]


@check(tags={"ratelimit"})
def limits_have_a_storage(project: Project) -> Iterator[Message]:
    """Find limits whose counters nobody keeps."""
    name = project.settings.section(RateLimit).storage
    if name is not None and name not in {each.name for each in _backends(project)}:
        yield Message(
            id="ratelimit.E021",
            level=Level.ERROR,
            text=f"no installed app declares the storage {name!r}",
            hint=storage_hint(name),
            where=project.settings.where("RATE_LIMIT"),
        )


@check(tags={"ratelimit", "web"})
def limits_go_by_somebody(project: Project) -> Iterator[Message]:
    """Find limits by a caller that no installed app can tell."""
    settings, registry = project.settings, project.registry
    app = served(project).app
    known = callers_of(registry)
    used: list[tuple[str, Location | None]] = [
        (settings.section(RateLimit).default_by, settings.where("RATE_LIMIT"))
    ]
    used += [] if app is None else _used(app.routes)
    for name, where in used:
        if name not in known:
            yield Message(
                id="ratelimit.E020",
                level=Level.ERROR,
                text=f"a rate limit goes by {name!r}, which no installed app can tell",
                hint=by_hint(registry, name),
                where=where,
            )


@check(tags={"ratelimit"}, deploy=True)
def limits_are_shared(project: Project) -> Iterator[Message]:
    """Warn of limits that each of several processes counts for itself."""
    settings = project.settings
    servers = servers_of(settings)
    if servers > 1 and storage_name(settings, project.registry) == MEMORY:
        yield Message(
            id="ratelimit.W001",
            level=Level.WARNING,
            text=f"{servers} processes serve, and each counts for itself: whoever asks all of them"
            f" may do so {servers} times as often as the limits say",
            hint='add "fastforge.contrib.redis" to INSTALLED_APPS, or let one process serve',
            where=settings.where("RATE_LIMIT") or settings.where("INSTALLED_APPS"),
        )


def _backends(project: Project) -> tuple[CacheBackend, ...]:
    return project.registry.values(CACHE_BACKENDS)


def _used(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, Location | None]]:
    """Yield which callers the limits of routes go by, each once, with the handler of one."""
    found: dict[str, RouteContext] = {}
    for context in iter_route_contexts([*routes]):
        dependant: Dependant | None = getattr(context, "dependant", None)
        for name in () if dependant is None else _named(dependant):
            found.setdefault(name, context)
        inner = getattr(context.original_route, "routes", None)
        if inner:
            yield from _used(inner)
    yield from ((name, where_written(context.endpoint)) for name, context in found.items())


def _named(dependant: Dependant) -> Iterator[str]:
    for inner in dependant.dependencies:
        rule = rule_of(inner.call)
        if rule is not None and isinstance(rule.by, str):
            yield rule.by
        yield from _named(inner)
