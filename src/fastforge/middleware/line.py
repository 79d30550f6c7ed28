"""Line: what an access line says of a request, whatever became of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from starlette.types import Message, Scope

from ..observability.access import FAILURE

__all__ = [
    "BODILESS",
    "declared_bytes",
    "file_bytes",
    "handled_error",
    "has_left",
    "more_of",
    "route_template",
]

BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods whose requests have no body that anybody would look for."""
Headers: TypeAlias = Iterable[tuple[bytes, bytes]]


def more_of(
    *, failure: str | None, cancelled: bool, code: str | None, **others: Any
) -> dict[str, Any]:
    """Return what a line says beside what every line says.

    Args:
        failure: The class of the exception that ended the request, which nobody has handled.
        cancelled: Whether it ended because nobody waited for it any more.
        code: Why it was refused.
        others: What else there is to say.
    """
    more: dict[str, Any] = {} if failure is None else {"failure": failure}
    if cancelled:
        more["cancelled"] = True
    if code is not None:
        more["code"] = code
    return more | others


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
