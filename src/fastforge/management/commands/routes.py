"""List the routes of the application.

Each line has the app that brings the route, and the place of its function.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

from ...commands import Context, command
from ...core.identity import LABEL
from ...exceptions import Location
from ..tables import listing

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["routes"]

COLUMNS: Final = ("method", "path", "name", "app", "endpoint", "where")


@command(starts="project")
def routes(*, json: Annotated[bool, "Write JSON."] = False, context: Context) -> None:
    """Build the application, without starting it, and list what it answers."""
    from ..served import served_application

    app = served_application(context.project)
    rows = (*_probes(app), *_rows(app, context.project))
    context.echo(listing(rows, COLUMNS, json=json))


def _probes(app: Any) -> Iterator[dict[str, str]]:
    """Yield the paths that the edge answers itself, before any route is looked for."""
    from ...middleware.edge import Edge

    edge = app.build_middleware_stack()
    for path, answer in (edge.policy.probes if isinstance(edge, Edge) else {}).items():
        yield {
            "method": "GET,HEAD",
            "path": path,
            "name": "",
            "app": LABEL,
            "endpoint": _module(answer),
            "where": "",
        }


def _rows(app: Any, project: Project) -> Iterator[dict[str, str]]:
    from fastapi.routing import iter_route_contexts

    for route in iter_route_contexts(app.routes):
        endpoint = route.endpoint or getattr(route.original_route, "app", None)
        function = inspect.unwrap(endpoint) if callable(endpoint) else endpoint
        yield {
            "method": _method(route),
            "path": route.path or "",
            "name": route.name or "",
            "app": _app_of(_module(function), project),
            "endpoint": _qualified(function),
            "where": str(Location.of(function) or "") if callable(function) else "",
        }


def _method(route: Any) -> str:
    if route.methods:
        return ",".join(sorted(route.methods))
    kind = type(route.original_route).__name__
    return "WEBSOCKET" if "WebSocket" in kind else kind.upper()


def _app_of(module: str, project: Project) -> str:
    """Return the label of the app whose package a module is in; FastAPI's own are in none."""
    fitting = [app for app in project.apps if f"{module}.".startswith(f"{app.name}.")]
    return max(fitting, key=lambda app: len(app.name)).label if fitting else ""


def _module(function: object) -> str:
    return getattr(function, "__module__", None) or type(function).__module__


def _qualified(function: object) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return f"{_module(function)}.{name}"
