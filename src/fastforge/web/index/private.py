"""Private: the only place that uses names which FastAPI and Starlette do not promise.

Importing it raises ImportError when one of them is gone; `placing` then leaves FastAPI's own
routing in place, and a check tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from fastapi.routing import (
    APIRoute,
    APIRouter,
    _EffectiveRouteContext,
    _IncludedRouter,
)
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from .patterns import Pattern, pattern_of

__all__ = [
    "Leaf",
    "Shadow",
    "Snapshot",
    "get_route_path",
    "leaves",
    "nested",
]

NEEDED: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (APIRouter(), ("_routes_version", "_get_routes_version", "_iter_low_priority_routes")),
    (
        _IncludedRouter,
        ("__dataclass_fields__", "effective_candidates", "_match", "_handle_selected"),
    ),
    (_EffectiveRouteContext, ("starlette_route", "path", "matches")),
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
