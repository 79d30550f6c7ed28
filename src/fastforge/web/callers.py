"""Callers: who asks, in the words of the app that knows it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import HTTPConnection

from .._utils import where_written
from ..exceptions import ComponentError

__all__ = ["Caller", "Identify", "caller"]

Identify: TypeAlias = Callable[[HTTPConnection], Awaitable[str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One way to tell who asks.

    Args:
        name: Unique in the project; the function's name, and what others call it by.
        identify: Gives the caller of a request or socket, None where this way knows nobody.
    """

    name: str
    identify: Identify


def caller(function: Identify, /) -> Caller:
    """Declare a way to tell who asks, in an app's `callers.py`.

    `fastforge.contrib.auth` declares `user` and `key`; `rate_limit(by="tenant")` asks this one:

    ```python
    @caller
    async def tenant(connection: HTTPConnection) -> str | None:
        return connection.path_params.get("tenant")
    ```

    Surprises: it may be asked before the request is routed, and several times.

    Args:
        function: `async def`; what it returns is a name and no secret. An error that is the
            client's, such as a token that is not valid, counts as nobody.

    Raises:
        ComponentError: It decorates no `async def`.
    """
    if not inspect.iscoroutinefunction(function):
        raise ComponentError(
            f"@caller decorates {function!r}, which is no async function",
            code="web.E070",
            hint="write `async def` with one parameter: `connection: HTTPConnection`",
            where=where_written(function),
        )
    return Caller(name=function.__name__, identify=function)
