"""Limits: how long a handler may take, where the project's own limit does not fit it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from inspect import isfunction
from typing import Any, Final, TypeVar

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from ..exceptions import ComponentError, Location

__all__ = ["shortest_time_limit", "time_limit", "time_limit_of"]

Handler = TypeVar("Handler", bound=Callable[..., Any])

_MARK: Final = "__fastforge_time_limit_s__"


def time_limit(seconds: float | None) -> Callable[[Handler], Handler]:
    """Give a handler its own time limit, in place of SERVER's `request_timeout_s`.

    Where the answer has not begun when it is over, the client has a 504, the handler is cancelled
    and its transaction rolled back.

    ```python
    @router.get("/report")
    @time_limit(120)
    async def report() -> Report: ...
    ```

    Surprises: the handler is marked and returned as it is, so that the decorator may also stand
    above the one of the route. What follows the beginning of the answer (a stream, a background
    task) is not limited, and a socket never is.

    Args:
        seconds: How long it may take; None for no limit.

    Raises:
        ComponentError: That is no length of time.
    """
    caller = sys._getframe(1)
    where = Location(caller.f_code.co_filename, caller.f_lineno)
    if not _is_limit(seconds):
        raise ComponentError(
            f"{_shown(seconds)} is no time limit",
            code="web.E020",
            hint="write @time_limit(10) for ten seconds, @time_limit(None) for no limit",
            where=where,
        )

    def mark(handler: Handler) -> Handler:
        try:
            setattr(handler, _MARK, seconds)
        except AttributeError:
            raise ComponentError(
                f"@time_limit decorates {handler!r}, which cannot be marked",
                code="web.E021",
                hint="let it decorate the function that handles the request",
                where=where,
            ) from None
        return handler

    return mark


def time_limit_of(endpoint: object, default_s: float | None) -> float | None:
    """Return how long an endpoint may take, in seconds; None when it has no limit."""
    limit: float | None = getattr(endpoint, _MARK, default_s)
    return limit


def shortest_time_limit(routes: Iterable[BaseRoute], default_s: float | None) -> float | None:
    """Return the shortest limit that any request may have, mounted applications' included."""
    limits = [default_s, *(time_limit_of(endpoint, default_s) for endpoint in _endpoints(routes))]
    return min((limit for limit in limits if limit is not None), default=None)


def _endpoints(routes: Iterable[BaseRoute]) -> Iterator[object]:
    for context in iter_route_contexts([*routes]):
        yield context.endpoint
        mounted = getattr(context.original_route, "routes", None)
        if mounted:
            yield from _endpoints(mounted)


def _is_limit(seconds: object) -> bool:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return seconds is None
    return 0 < seconds < math.inf


def _shown(seconds: object) -> str:
    return f"the function {seconds.__qualname__}" if isfunction(seconds) else repr(seconds)
