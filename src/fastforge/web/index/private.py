"""Private: the only place that uses names which FastAPI and Starlette do not promise.

Importing it raises ImportError when one of them is gone; `placing` then leaves FastAPI's own
routing in place, and a check tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from fastapi.routing import (
    _FASTAPI_EFFECTIVE_ROUTE_CONTEXT_KEY,
    _FASTAPI_FORM_LIMITS_KEY,
    _FASTAPI_INCLUDED_ROUTER_KEY,
    APIRoute,
    APIRouter,
    _EffectiveRouteContext,
    _get_fastapi_scope,
    _IncludedRouter,
    _resolve_form_limits,
)
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from .patterns import Pattern, pattern_of

__all__ = [
    "TELEMETRY",
    "Direct",
    "Leaf",
    "Shadow",
    "Snapshot",
    "direct",
    "get_route_path",
    "leaves",
    "nested",
]

TELEMETRY: Final = "fastapi.telemetry"
"""The key of a scope under which FastAPI's own telemetry stands, which is told of each route."""

NEEDED: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (APIRouter(), ("_routes_version", "_get_routes_version", "_iter_low_priority_routes")),
    (
        _IncludedRouter,
        ("__dataclass_fields__", "effective_candidates", "_match", "_handle_selected"),
    ),
    (_EffectiveRouteContext, ("starlette_route", "path", "matches", "app", "endpoint")),
)
for _owner, _names in NEEDED:
    for _name in _names:
        if not hasattr(_owner, _name):
            raise ImportError(f"cannot find {_name!r} in fastapi.routing", name="fastapi.routing")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Leaf:
    """A route as FastAPI comes to it, through inclusions.

    Args:
        inclusions: The outermost first.
        candidate: What FastAPI asks whether it matches.
        pattern: Which paths it may match.
    """

    inclusions: tuple[_IncludedRouter, ...]
    candidate: Any
    pattern: Pattern


def leaves(routes: Iterable[Any], inclusions: tuple[_IncludedRouter, ...] = ()) -> Iterator[Leaf]:
    """Yield the routes at any depth, in the order in which FastAPI tries them.

    A router whose class decides in its own way what it matches stays whole: it may match any path.
    """
    for route in routes:
        if type(route) is _IncludedRouter and _asks_its_routes(route.original_router):
            yield from leaves(route.effective_candidates(), (*inclusions, route))
        else:
            pattern = pattern_of(*_deciding(route))
            yield Leaf(inclusions=inclusions, candidate=route, pattern=pattern)


def _asks_its_routes(router: APIRouter) -> bool:
    return type(router).matches is APIRouter.matches and "matches" not in vars(router)


def _deciding(route: Any) -> tuple[BaseRoute, Any]:
    """Return the route whose `matches` is called, and what has the path that it compares."""
    if not isinstance(route, _EffectiveRouteContext):
        return route, route
    if isinstance(route.original_route, APIRoute):
        return route.original_route, route
    copied = route.starlette_route or route.original_route
    return copied, copied


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Direct:
    """A route that FastAPI would call whatever stands between it and the application.

    Args:
        shape: What has path, methods and application: the route itself, or the route as it
            stands in an inclusion. They are read late, for users may put others in their place.
        route: The route, for the scope.
        selected: What FastAPI then has under its own key in the scope.
        form_limits: Those of the inclusions, which it has there as well.
    """

    shape: Any
    route: APIRoute
    selected: Mapping[str, Any]
    form_limits: Any

    def note(self, scope: Scope, form_limits: Any) -> None:
        """Write into a scope, under FastAPI's own key, how FastAPI would have come here.

        Args:
            scope: The request's.
            form_limits: Those of the application's router.
        """
        noted = _get_fastapi_scope(scope)
        for limits in (form_limits, self.form_limits):
            if limits:
                noted[_FASTAPI_FORM_LIMITS_KEY] = _resolve_form_limits(noted, limits)
        noted.update(self.selected)


def direct(leaf: Leaf) -> Direct | None:
    """Return how to call a route at once; None where a class on the way handles in its own way."""
    is_included = isinstance(leaf.candidate, _EffectiveRouteContext)
    route = leaf.candidate.original_route if is_included else leaf.candidate
    if is_included != bool(leaf.inclusions) or not _is_plain(route, APIRoute):
        return None
    if not all(_is_plain(inclusion.original_router, APIRouter) for inclusion in leaf.inclusions):
        return None
    form_limits: dict[str, Any] = {}
    for inclusion in leaf.inclusions:
        form_limits.update(inclusion.include_context.form_limits)
    selected = (
        {
            _FASTAPI_INCLUDED_ROUTER_KEY: leaf.inclusions[-1],
            _FASTAPI_EFFECTIVE_ROUTE_CONTEXT_KEY: leaf.candidate,
        }
        if is_included
        else {}
    )
    return Direct(shape=leaf.candidate, route=route, selected=selected, form_limits=form_limits)


def _is_plain(one: Any, base: type) -> bool:
    """Whether something matches and handles as FastAPI's own class does."""
    return isinstance(one, base) and all(
        getattr(type(one), name) is getattr(base, name) and name not in vars(one)
        for name in ("matches", "handle")
    )


class _Branch(_IncludedRouter):
    """An inclusion of which only some routes are tried.

    FastAPI compares a path to find out which inclusion takes it, and once more inside of that; what
    the first one has found is kept for the second.
    """

    def __init__(self, whole: _IncludedRouter, kept: list[Any]) -> None:
        super().__init__(whole.original_router, whole.include_context)
        self._kept = kept
        self._found_key = f"fastforge.found.{id(self)}"

    def effective_candidates(self) -> list[Any]:
        return self._kept

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        found = self._match(scope)
        if found[0] is Match.FULL:  # which FastAPI handles at once
            scope[self._found_key] = found
        return found[0], {}

    def _match(self, scope: Scope) -> Any:
        found = scope.pop(self._found_key, None)
        return super()._match(scope) if found is None else found


def nested(some: Iterable[Leaf], depth: int = 0) -> list[Any]:
    """Return routes for FastAPI to try: some of all, in the inclusions that they stand in."""

    def inclusion(leaf: Leaf) -> _IncludedRouter | None:
        return leaf.inclusions[depth] if depth < len(leaf.inclusions) else None

    found: list[Any] = []
    # By identity: inclusions that compare equal are still two.
    for _, group in groupby(some, key=lambda leaf: id(inclusion(leaf))):
        members = tuple(group)
        outer = inclusion(members[0])
        if outer is None:
            found += [leaf.candidate for leaf in members]
        else:
            found.append(_Branch(outer, nested(members, depth + 1)))
    return found


class Shadow(APIRouter):
    """A router with some routes of another, which has everything else: FastAPI's code runs on it.

    Args:
        router: The other.
        routes: What is tried.
        first: Stands before the routes that FastAPI tries when no other matches.
    """

    def __init__(self, router: APIRouter, routes: list[Any], first: BaseRoute) -> None:
        # Not the parent's: every attribute that it would set is the other router's, read late.
        self.routes = routes
        self._router = router
        self._first = first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._router, name)

    @property
    def form_limits(self) -> Any:  # type: ignore[override]
        # Every request asks for it, and would come here by `__getattr__`.
        return self._router.form_limits

    def _iter_low_priority_routes(self) -> Iterator[Any]:
        yield self._first
        yield from self._router._iter_low_priority_routes()


class Snapshot:
    """What a router had when it was looked at."""

    __slots__ = ("_copy", "_deep", "_routes", "_version")

    def __init__(self, router: APIRouter) -> None:
        self._version = router._routes_version
        self._deep = router._get_routes_version()
        self._routes = router.routes
        self._copy = tuple(router.routes)

    def holds(self, router: APIRouter) -> bool:
        """Whether nothing was added to the router itself: a look of less than a microsecond."""
        return (
            self._version == router._routes_version
            and self._routes is router.routes
            and len(self._copy) == len(self._routes)
        )

    def holds_below(self, router: APIRouter) -> bool:
        """Whether nothing was added to a router that it includes either: asks each of them."""
        return self._deep == router._get_routes_version() and all(
            one is other for one, other in zip(self._copy, router.routes, strict=True)
        )
