"""Served: the application that a server would serve, made once for all checks that look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI

from ...checks.runner import once_a_run
from ...exceptions import ErrorGroup, ForgeError, Location
from ...web.errors.resolution import ErrorFormats
from ...web.index import index_routes
from ...web.kinds import ERROR_FORMATS, ROUTERS
from ...web.routing import mount_routers
from ..entrypoint import find_application, written_application
from .source import where_named

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["Served", "served"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server would serve, or why it would not start.

    Args:
        app: The application; None when it cannot be made.
        path: What makes it, as `package.module:attribute`; empty: the settings alone.
        errors: Why it cannot be made, which core.E003 tells.
    """

    app: FastAPI | None = None
    path: str = ""
    errors: tuple[ForgeError, ...] = ()

    @property
    def where(self) -> Location | None:
        """The line of the module that makes it."""
        module, _, name = self.path.partition(":")
        return where_named(module, name)


@once_a_run
def served(project: Project) -> Served:
    """Import the module that makes the application, or mount the routers as it would be made."""
    try:
        written = written_application(project)
        if written is not None:
            path = find_application(project.settings.module, project.settings.root)
            return Served(app=written, path=path)
        return Served(app=_of_the_settings(project))
    except ErrorGroup as group:
        return Served(errors=group.errors)
    except ForgeError as error:
        return Served(errors=(error,))


def _of_the_settings(project: Project) -> FastAPI:
    app = FastAPI(openapi_url="/openapi.json" if project.settings["DOCS"] else None)
    prefixes = {config.label: config.prefix for config in project.apps}
    routers = project.registry.components(ROUTERS)
    ErrorFormats(project.registry.components(ERROR_FORMATS), routers, prefixes)  # refuses clashes
    mount_routers(app, routers, prefixes)
    index_routes(app)
    return app
