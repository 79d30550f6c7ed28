"""Routes: which are never reached, or not served at all, and how a request finds them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.routing import APIRoute

from ...checks import Level, Message, check
from ...exceptions import Location
from ...web.index import why_not_indexed
from ...web.kinds import ROUTERS
from ...web.routing import duplicates
from .served import served
from .source import where_named

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["applications_are_routers", "routes_are_found", "routes_are_reached"]


@check(tags={"web"})
def routes_are_reached(project: Project) -> Iterator[Message]:
    """Find the routes of an application of the project's own that another one hides.

    Two of the apps' routers are refused at the start; an application that was there before has
    run with them.
    """
    app = served(project).app
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
    app = served(project).app
    reason = why_not_indexed(app) if app else ""
    if reason:
        yield Message(
            id="web.I020",
            level=Level.INFO,
            text=f"a request tries one route after the other: {reason}",
            hint="it works, and costs more for each route; use a stock APIRouter for the"
            " application, and the version of FastAPI that fastforge asks for",
        )


@check(tags={"web"})
def applications_are_routers(project: Project) -> Iterator[Message]:
    """Warn of a `routes.py` that has an application of its own where a router is meant."""
    with_routers = {component.app for component in project.registry.components(ROUTERS)}
    for app in project.apps:
        module = sys.modules.get(f"{app.name}.{ROUTERS.module}")
        if module is None or app.label in with_routers:
            continue
        for name, value in vars(module).items():
            if isinstance(value, FastAPI) and any(isinstance(r, APIRoute) for r in value.routes):
                yield Message(
                    id="web.W005",
                    level=Level.WARNING,
                    text=f"the routes of {name} are not served: it is an application",
                    hint=f"write {name} = APIRouter(), and leave the prefix to INSTALLED_APPS",
                    where=where_named(module.__name__, name),
                )
