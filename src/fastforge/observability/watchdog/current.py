"""Current: for whom an event loop works at the moment, asked from another thread."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, MutableMapping
from contextvars import Context
from typing import Any, TypeAlias

from ..context import context_fields, request_scope

__all__ = ["RouteOf", "context_of", "who_runs"]

RouteOf: TypeAlias = Callable[[MutableMapping[str, Any]], str | None]
"""Returns the template of the route that was found for a request."""


def who_runs(task: asyncio.Task[Any] | None, route_of: RouteOf) -> dict[str, Any]:
    """Return the ids of what a task works for, and the route of the request.

    Args:
        task: What runs now; None for a callback, which belongs to nobody.
        route_of: What reads the route of the scope of a request.
    """
    context = None if task is None else context_of(task)
    if context is None:
        return {}
    # The context is entered in the thread of the loop; a copy of it is not.
    return context.copy().run(_fields, route_of)


def context_of(task: asyncio.Task[Any]) -> Context | None:
    """Return the context variables of a task, whoever asks.

    Python 3.11 does not say it, but the collector knows what a task refers to: its own context
    comes first.
    """
    get_context = getattr(task, "get_context", None)
    if get_context is not None:
        found: Context = get_context()
        return found
    return next((each for each in gc.get_referents(task) if isinstance(each, Context)), None)


def _fields(route_of: RouteOf) -> dict[str, Any]:
    fields = context_fields()
    scope = request_scope.get()
    if scope is not None:
        fields |= {"route": route_of(scope), "method": scope.get("method", "WEBSOCKET")}
    return fields
