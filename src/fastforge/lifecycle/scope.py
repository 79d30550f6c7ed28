"""Scope: what is entered around each execution outside HTTP: a job, a command, a message."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from ..exceptions import ComponentError, Location

__all__ = ["Scope", "scope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A recipe that is opened and closed with every execution.

    Args:
        name: Unique in the project; the function's name.
        function: Yields once. An exception of the execution is raised at the `yield`.
    """

    name: str
    function: Callable[..., AsyncIterator[None]]


def scope(function: Callable[..., AsyncIterator[None]]) -> Scope:
    """Declare a scope, in an app's `scopes.py`.

    Its context variables are visible to the execution. HTTP requests do not pass here: what
    surrounds them is middleware.

    ```python
    @scope
    async def unit_of_work(database: Connection) -> AsyncIterator[None]:
        async with database.unit():
            yield
    ```

    Raises:
        ComponentError: It does not decorate an async generator function.
    """
    if not inspect.isasyncgenfunction(function):
        raise ComponentError(
            f"the scope {function.__name__!r} is not an async function with a yield",
            code="lifecycle.E003",
            hint="write `async def` with one bare `yield`",
            where=Location.of(function),
        )
    return Scope(name=function.__name__, function=function)
