"""Line: what an access line says of a request, whatever became of it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterable
from typing import Any, TypeAlias

from starlette.types import Message, Scope

from ..observability.access import FAILURE, AccessLog

__all__ = [
    "declared_bytes",
    "file_bytes",
    "handled_error",
    "has_left",
    "route_template",
    "write_line",
]

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


def write_line(
    log: AccessLog,
    scope: Scope,
    *,
    route: str | None,
    started: float,
    request_id: str,
    status_code: int | None,
    **more: Any,
) -> None:
    """Write the line of a request or socket.

    Args:
        log: Where it is written.
        scope: The request's, after it has been routed.
        route: The template of its route.
        started: When it came, by `time.perf_counter`.
        request_id: Its id; this and what follows is what `AccessLog.write` is told.
        status_code: The status of the answer.
        more: What else there is to say.
    """
    client = scope.get("client")
    log.write(
        method=scope.get("method", "WEBSOCKET"),
        path=scope["path"],
        route=route,
        client=client[0] if client else None,
        duration_ms=int((time.perf_counter() - started) * 1e6) / 1000,
        request_id=request_id,
        status_code=status_code,
        **more,
    )


def declared_bytes(headers: Headers) -> int | None:
    """Return the size that a request says its body has; None for one that does not say it."""
    for name, value in headers:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None


def file_bytes(message: Message) -> int:
    """Return how much a message hands over that names a file in place of a body."""
    path = message.get("path")
    if path is None:
        return 0
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def handled_error(scope: Scope) -> BaseException | None:
    """Return the exception for which an answer is being made.

    Whoever makes one of an exception, the framework or a user's handler, sends it while that
    exception is handled. A layer with a task of its own hides that; ours then have left it in the
    state of the request.
    """
    noted: BaseException | None = scope["state"].pop(FAILURE, None)
    return noted or sys.exc_info()[1]


def has_left(error: BaseException) -> bool:
    """Return whether an exception only says that nobody waits for the answer any more."""
    if isinstance(error, asyncio.CancelledError):
        return True
    from starlette.requests import ClientDisconnect  # loaded by then, and dear before

    return isinstance(error, ClientDisconnect)


def route_template(scope: Scope) -> str | None:
    """Return the template of the route that was found, with the prefixes it is included under.

    `/orders/{order_id}` has as many values as the project has routes, where a path has as many as
    there are orders. What is mounted below a parameter has the parameter's value in it.

    Args:
        scope: The request's, after it has been routed.

    Returns:
        The template; None when no route was found, or one that does not tell.
    """
    found = scope.get("fastapi")
    context: Any = found.get("effective_route_context") if found else None
    route: Any = scope.get("route")
    # An included route stands in the scope without its prefix; the context has it. Where another
    # application is mounted below, the context is still the one of the mount.
    if context is not None and (context.original_route is route or route is None):
        route = context.starlette_route or context
    template: str | None = getattr(route, "path_format", None)  # any router's may stand there
    mounted: str = scope.get("root_path", "")
    root_path = scope.get("app_root_path", mounted)  # that of the server, once there are two
    if mounted == root_path:
        return template or _plain(scope, mounted)
    prefix = mounted.removeprefix(root_path)
    if not template or template == f"{route.path}/{{path}}":  # a mount itself
        return f"{prefix}/{{path}}"
    return f"{prefix}{template}"


def _plain(scope: Scope, root_path: str) -> str | None:
    """Return the path of a route of Starlette's own, which does not tell, if it has no part."""
    if "endpoint" not in scope or scope.get("path_params"):
        return None
    path: str = scope["path"]
    return path.removeprefix(root_path)
