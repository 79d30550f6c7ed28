"""Routes of the application that is served: which are never reached, and how they are found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi import FastAPI

from ...checks import Level, Message, check
from ...exceptions import ForgeError, Location
from ...web.index import index_routes, why_not_indexed
from ...web.routing import duplicates
from ..entrypoint import written_application

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["routes_are_found", "routes_are_reached"]


@check(tags={"web"})
def routes_are_reached(project: Project) -> Iterator[Message]:
    """Find the routes of an application of the project's own that another one hides.

    Two of the apps' routers are refused at the start; an application that was there before has
    run with them.
    """
    app = _application(project)
    for error in duplicates(app) if app else ():
        yield Message(
            id="web.E015",
            level=Level.ERROR,
            text=f"{error.message}, which is never reached",
            hint="remove one of them, or change its path",
            where=error.where if isinstance(error.where, Location) else None,
        )


@check(tags={"web"})
def routes_are_found(project: Project) -> Iterator[Message]:
    """Tell when the routes are tried one after the other."""
    app = _application(project)
    if app is None:
        app = FastAPI()
        index_routes(app)
    reason = why_not_indexed(app)
    if reason:
        yield Message(
            id="web.I020",
            level=Level.INFO,
            text=f"a request tries one route after the other: {reason}",
            hint="it works, and costs more for each route; use a stock APIRouter for the"
            " application, and the version of FastAPI that fastforge asks for",
        )


def _application(project: Project) -> FastAPI | None:
    try:
        return written_application(project)
    except ForgeError:  # `application_can_be_built` tells of it
        return None
