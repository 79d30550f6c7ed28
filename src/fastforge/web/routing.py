"""Routing: the routers of all apps, mounted under their prefixes, no route hiding another."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import FastAPIError
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, WebSocketRoute

from .._utils import first_line
from ..components import Component
from ..exceptions import ComponentError, ErrorGroup, Location
from .index.patterns import matches_by_path

__all__ = ["duplicates", "included_routers", "mount_routers"]

_PARAMETER: Final = re.compile(r"\{[^}:]*(:[^}]*)?\}")

_Key = tuple[str, str]


def mount_routers(
    app: FastAPI, routers: Iterable[Component[APIRouter]], prefixes: Mapping[str, str]
) -> None:
    """Include the routers of the installed apps in an application.

    A router that another one includes, or the application itself, is not included again.

    Args:
        app: The application; the routes that it has already stay and count.
        routers: In the order of installation.
        prefixes: What stands before an app's routes, by the app's label.

    Raises:
        ErrorGroup: Routes with the same method and path, naming both functions.
        ComponentError: A route has neither a prefix nor a path, or two parameters of one name.
    """
    declared = tuple(routers)
    included = included_routers(app.router, *(router.value for router in declared))
    routes = dict(_own_routes(app))
    errors: list[ComponentError] = []
    for router in declared:
        if id(router.value) not in included:
            before = len(app.routes)
            with _mounting(router):
                app.include_router(router.value, prefix=prefixes.get(router.app, ""))
                # Here FastAPI reads the whole paths, prefixes included.
                errors.extend(_clashes(app.routes[before:], routes, router))
    if errors:
        raise errors[0] if len(errors) == 1 else ErrorGroup(errors)


def included_routers(*routers: APIRouter) -> frozenset[int]:
    """Return the `id()` of each router that one of these includes, at any depth."""
    found: set[int] = set()

    def visit(router: APIRouter) -> None:
        for route in router.routes:
            # FastAPI keeps an inclusion as a route of a private class, with this attribute.
            inner = getattr(route, "original_router", None)
            if isinstance(inner, APIRouter) and id(inner) not in found:
                found.add(id(inner))
                visit(inner)

    for router in routers:
        visit(router)
    return frozenset(found)


def duplicates(app: FastAPI) -> Iterator[ComponentError]:
    """Yield an error for each route of an application that another one hides, naming both."""
    yield from _clashes(app.routes, {}, None)


@contextmanager
def _mounting(router: Component[APIRouter]) -> Iterator[None]:
    try:
        yield
    except (FastAPIError, ValueError, AssertionError) as error:
        is_empty = isinstance(error, FastAPIError)
        raise ComponentError(
            f"the router {router.name!r} cannot be mounted: {first_line(str(error))}",
            code="web.E002",
            hint="give the router a prefix, or the route a path"
            if is_empty
            else "change the path, or the prefix of the app",
            where=router.location,
        ) from error


def _own_routes(app: FastAPI) -> Iterator[tuple[_Key, RouteContext]]:
    # The first of two is the one that answers. A check tells of two in an application that was
    # there before us: it has run with them.
    for context in reversed(list(iter_route_contexts(app.routes))):
        for key in _keys(context):
            yield key, context


def _clashes(
    new: list[BaseRoute], routes: dict[_Key, RouteContext], router: Component[APIRouter] | None
) -> Iterator[ComponentError]:
    for context in iter_route_contexts(new):
        if router and context.endpoint and not (context.path or "/").startswith("/"):
            raise ValueError(f"the path {context.path!r} does not begin with /: nothing fits it")
        for key in _keys(context):
            other = routes.setdefault(key, context)
            if other is not context:
                yield _clash(key[0], context, other, router)
                break


def _keys(context: RouteContext) -> Iterator[_Key]:
    """Yield the method and path of a route; names of parameters do not tell paths apart."""
    if not matches_by_path(context.original_route):
        return  # two may share a path, and tell requests apart by a header
    path = _PARAMETER.sub(lambda match: "{" + (match[1] or ":str") + "}", context.path or "")
    if isinstance(context.original_route, WebSocketRoute):
        yield "WEBSOCKET", path
    for method in sorted(context.methods or ()):
        yield method, path


def _clash(
    method: str, new: RouteContext, old: RouteContext, router: Component[APIRouter] | None
) -> ComponentError:
    return ComponentError(
        f"{method} {new.path} is declared twice: by {_shown(old)} and by {_shown(new)}",
        code="web.E001",
        hint="change one of the paths, or the prefix of one app",
        where=_location(new.endpoint) or (router.location if router else None),
    )


def _shown(context: RouteContext) -> str:
    endpoint = context.endpoint
    name = getattr(endpoint, "__qualname__", None) or type(endpoint).__qualname__
    module = getattr(endpoint, "__module__", "")
    place = _location(endpoint)
    return f"{module}.{name}" + (f" ({place})" if place else "")


def _location(endpoint: Callable[..., Any] | None) -> Location | None:
    return None if endpoint is None else Location.of(inspect.unwrap(endpoint))
