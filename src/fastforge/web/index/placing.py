"""Placing: puts the index into an application, or leaves FastAPI's own routing and says why."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, FastAPI

__all__ = ["index_routes", "why_not_indexed"]

_REASON: Final = "_fastforge_not_indexed"


def index_routes(app: FastAPI) -> None:
    """Let an application find its routes through an index, at the same cost for each of them.

    Which route answers, and with what, is decided by FastAPI as before: see the page on HTTP for
    what that means, and for the routes that are tried at every path.

    Surprises: routes are looked at with the first request. One that is added to the application
    later counts at once; one that is added to a router which the application includes counts
    from the first request on that would have had no answer without it.

    Args:
        app: The application, before a middleware of the router stands around its routing.
    """
    reason = _place(app.router)
    if reason:
        setattr(app.router, _REASON, reason)


def why_not_indexed(app: FastAPI) -> str:
    """Return why `index_routes` has left an application as it was, or an empty text."""
    return getattr(app.router, _REASON, "")


def _place(router: APIRouter) -> str:
    """Put the index where the router's own routing stands, or return why not."""
    if type(router).app is not APIRouter.app:
        return f"the class {type(router).__qualname__} of its router routes in its own way"
    holder, name = _holder(router)
    if holder is None:
        return "its router's middleware_stack has been replaced"
    try:
        from .table import RouteIndex
    except ImportError as error:
        return f"the installed FastAPI is not one that the index knows: {error}"
    setattr(holder, name, RouteIndex(router))
    return ""


def _holder(router: APIRouter) -> tuple[Any, str]:
    """Return what refers to the router's own routing: the router, or a layer around it.

    FastAPI itself puts one there for `max_body_size`.
    """
    holder: Any = router
    name, seen = "middleware_stack", set[int]()
    while id(holder) not in seen:
        seen.add(id(holder))
        inner = getattr(holder, name, None)
        if inner == router.app:
            return holder, name
        if inner is None:
            break
        holder, name = inner, "app"
    return None, ""
