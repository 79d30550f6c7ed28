"""What anybody on the network could read or pretend, and routes that a probe hides."""

from __future__ import annotations

import inspect
import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi.routing import RouteContext, iter_route_contexts

from ...checks import Level, Message, check
from ...exceptions import Location
from ...web.settings import Health
from .served import served

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["docs_are_closed", "hosts_are_named", "probes_hide_no_route", "proxies_are_named"]


@check(tags={"security", "web"}, deploy=True)
def docs_are_closed(project: Project) -> Iterator[Message]:
    """Tell where a production process shows its API to anybody."""
    if project.settings.environment != "production":
        return
    app = served(project).app
    paths = (app.docs_url, app.redoc_url, app.openapi_url) if app and app.openapi_url else ()
    if shown := [path for path in paths if path]:
        yield Message(
            id="web.W010",
            level=Level.WARNING,
            text=f"anybody can read {', '.join(shown)}",
            hint="set DOCS = False, or FastAPI(openapi_url=None) where you make the application",
            where=project.settings.where("DOCS"),
        )


@check(tags={"security", "settings"}, deploy=True)
def proxies_are_named(project: Project) -> Iterator[Message]:
    """Refuse to believe everybody who says for whom they ask."""
    for entry in project.settings["TRUSTED_PROXIES"]:
        if entry != "unix" and ipaddress.ip_network(entry).prefixlen == 0:
            yield Message(
                id="web.E011",
                level=Level.ERROR,
                text=f"TRUSTED_PROXIES trusts every address ({entry}): clients can pretend any",
                hint="write the networks of your proxies",
                where=project.settings.where("TRUSTED_PROXIES"),
            )


@check(tags={"security", "settings"}, deploy=True)
def hosts_are_named(project: Project) -> Iterator[Message]:
    """Tell that links would lead to whatever host a client names."""
    if "*" in project.settings["ALLOWED_HOSTS"]:
        yield Message(
            id="web.W012",
            level=Level.WARNING,
            text="ALLOWED_HOSTS allows every host: links lead to whatever a client names",
            hint="write your hosts, or silence this where a proxy checks them",
            where=project.settings.where("ALLOWED_HOSTS"),
        )


@check(tags={"web"})
def probes_hide_no_route(project: Project) -> Iterator[Message]:
    """Find the routes that are never reached, because a probe answers their path."""
    health = project.settings.section(Health)
    names = ("startup_path", "live_path", "ready_path")
    fields = {getattr(health, name): name for name in names}
    app = served(project).app
    for context in iter_route_contexts(app.routes if app else []):
        field = fields.get(context.path or "")
        if field is not None:
            yield _hidden(context, field, project.settings.where("HEALTH"))


def _hidden(context: RouteContext, field: str, where: Location | None) -> Message:
    endpoint = inspect.unwrap(context.endpoint) if context.endpoint else None
    name = getattr(endpoint, "__qualname__", None) or context.name
    setting = f"HEALTH ({where})" if where else "HEALTH, which is not written"
    return Message(
        id="web.W011",
        level=Level.WARNING,
        text=f"{name} is never reached: the probe answers {context.path}",
        hint=f"change its path, or the {field} of {setting}",
        where=Location.of(endpoint) if endpoint else None,
    )
