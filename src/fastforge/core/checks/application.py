"""What the server would refuse at its start."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi import FastAPI

from ...checks import Level, Message, check
from ...exceptions import ErrorGroup, ForgeError, Location
from ...web.kinds import ROUTERS
from ...web.layers import settings_entries
from ...web.middleware import Middleware
from ...web.routing import mount_routers

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["application_can_be_built"]


@check(tags={"web"})
def application_can_be_built(project: Project) -> Iterator[Message]:
    """Find the routes and the middleware that the server would refuse at its start."""
    for error in (*_refused_routes(project), *_refused_middleware(project)):
        yield Message(
            id="core.E003",
            level=Level.ERROR,
            text=f"[{error.code}] {error.message}",
            hint=error.hint,
            where=error.where
            if isinstance(error.where, Location)
            else project.settings.where("MIDDLEWARE"),
        )


def _refused_routes(project: Project) -> tuple[ForgeError, ...]:
    prefixes = {app.label: app.prefix for app in project.apps}
    try:
        mount_routers(FastAPI(), project.registry.components(ROUTERS), prefixes)
    except ErrorGroup as group:
        return group.errors
    except ForgeError as error:
        return (error,)
    return ()


def _refused_middleware(project: Project) -> Iterator[ForgeError]:
    # That of the apps was validated when loaded.
    for entry, where in settings_entries(project.settings):
        try:
            Middleware.of(entry).validate()
        except ForgeError as error:
            error.where = error.where or where
            yield error
