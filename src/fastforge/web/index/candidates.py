"""Candidates: the few routes that a path may have, and the one of them that answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fastapi import APIRouter
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Scope

from .private import TELEMETRY, Direct, Leaf, Shadow, direct, nested

__all__ = ["Candidates"]


class Candidates:
    """Finds who answers, among few routes.

    What FastAPI does on its way to a route of its own is the same for each: ask it whether it
    matches, inclusion by inclusion, and write down in the scope how it was found. That is done
    here in one step for the routes at the front of which this is sure. For every other request,
    and for one that none of those takes, FastAPI's own code runs on all of them.

    Args:
        router: The router of the application.
        leaves: The routes, in the order in which FastAPI tries them.
        first: Stands before the routes that FastAPI tries when no other matches.
    """

    __slots__ = ("_direct", "_router", "_shadow")

    def __init__(self, router: APIRouter, leaves: Sequence[Leaf], first: BaseRoute) -> None:
        self._router = router
        self._shadow = Shadow(router, nested(leaves), first)
        self._direct = tuple(_front(leaves))

    def select(self, scope: Scope, path: str) -> ASGIApp:
        """Return what answers a request, after writing into its scope what FastAPI would.

        Args:
            scope: The request's.
            path: Its path, as routes see it.
        """
        if scope["type"] != "http" or TELEMETRY in scope:
            return self._shadow.app
        method = scope["method"]
        for each in self._direct:
            shape = each.shape
            # Without methods, or with others, FastAPI has more to say.
            if method not in shape.methods:
                continue
            found = shape.path_regex.match(path)
            if found is None:
                continue
            parameters = dict(scope.get("path_params", ()))
            for name, value in found.groupdict().items():
                parameters[name] = shape.param_convertors[name].convert(value)
            scope["endpoint"] = shape.endpoint
            scope["path_params"] = parameters
            scope["route"] = each.route
            each.note(scope, self._router.form_limits)
            application: ASGIApp = shape.app
            return application
        return self._shadow.app


def _front(leaves: Iterable[Leaf]) -> Iterator[Direct]:
    """Yield routes up to the first one that FastAPI has to ask itself."""
    for leaf in leaves:
        found = direct(leaf)
        if found is None:
            return
        yield found
