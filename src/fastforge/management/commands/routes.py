"""List the routes of the application."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Annotated, Any

from ...commands import Context, command
from ...exceptions import Location
from ..tables import listing

__all__ = ["routes"]

COLUMNS = ("method", "path", "name", "endpoint", "where")


@command(starts="project")
def routes(*, json: Annotated[bool, "Write JSON."] = False, context: Context) -> None:
    """Build the application, without starting it, and list what it answers."""
    from ...asgi import get_asgi_application

    rows = _rows(get_asgi_application(context.project))
    context.echo(listing(rows, COLUMNS, json=json))


def _rows(app: Any) -> Iterator[dict[str, str]]:
    from fastapi.routing import iter_route_contexts

    for route in iter_route_contexts(app.routes):
        endpoint = route.endpoint or getattr(route.original_route, "app", None)
        function = inspect.unwrap(endpoint) if callable(endpoint) else endpoint
        yield {
            "method": _method(route),
            "path": route.path or "",
            "name": route.name or "",
            "endpoint": _qualified(function),
            "where": str(Location.of(function) or "") if callable(function) else "",
        }


def _method(route: Any) -> str:
    if route.methods:
        return ",".join(sorted(route.methods))
    kind = type(route.original_route).__name__
    return "WEBSOCKET" if "WebSocket" in kind else kind.upper()


def _qualified(function: object) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}.{name}"
