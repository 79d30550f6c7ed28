"""What the server would refuse at its start, and what it would serve without the project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from ...exceptions import ForgeError, Location
from ...web.layers import settings_entries
from ...web.middleware import Middleware
from . import OURS
from .served import served

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ...project import Project

__all__ = ["application_can_be_built", "application_is_of_the_project"]


@check(tags={"web"})
def application_can_be_built(project: Project) -> Iterator[Message]:
    """Find what the server would refuse at its start: routes, middleware, a module that fails."""
    refused = (*served(project).errors, *_refused_middleware(project))
    for error in {str(error): error for error in refused}.values():
        yield Message(
            id="core.E003",
            level=Level.ERROR,
            text=f"[{error.code}] {error.message}",
            hint=error.hint,
            where=error.where if isinstance(error.where, Location) else None,
        )


@check(tags={"web"})
def application_is_of_the_project(project: Project) -> Iterator[Message]:
    """Warn of an application that is served, and that has nothing of the project."""
    found = served(project)
    if not found.app or not found.path or _is_enclosed(found.app):
        return
    name = found.path.partition(":")[2]
    yield Message(
        id="web.W006",
        level=Level.WARNING,
        text=f"{found.path} is served without the project: no resource is opened for it, and no"
        " router or setting counts",
        hint=f"write {name} = get_asgi_application(app={name})",
        where=found.where,
    )


def _is_enclosed(app: FastAPI) -> bool:
    """Return whether `get_asgi_application` has put our edge around an application."""
    return app.build_middleware_stack.__module__.startswith(OURS)


def _refused_middleware(project: Project) -> Iterator[ForgeError]:
    # That of the apps was validated when loaded.
    for entry, where in settings_entries(project.settings):
        try:
            Middleware.of(entry).validate()
        except ForgeError as error:
            error.where = error.where or where
            yield error
