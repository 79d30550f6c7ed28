"""Description: what an access line says of a request, whatever became of it."""

from __future__ import annotations

from typing import Any

from starlette.types import Scope

from .template import route_template

__all__ = ["described"]


def described(scope: Scope) -> dict[str, Any]:
    """Return the fields of a line that are in the scope once it has been routed."""
    client = scope.get("client")
    return {
        "method": scope.get("method", "WEBSOCKET"),
        "path": scope["path"],
        "route": route_template(scope),
        "client": client[0] if client else None,
    }
