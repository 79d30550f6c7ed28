"""Service: a loop that runs while the process runs, restarted when it fails."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, overload

from ..exceptions import ComponentError, Location
from .role import ALL_ROLES, Role

__all__ = ["Service", "service"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A supervised loop.

    Args:
        name: Unique in the project; the function's name.
        function: Runs until it is cancelled; one that returns has finished its work.
        roles: The kinds of process that run it.
        drain_s: How long it may go on after its StopSignal is set, before it is cancelled.
        backoff_s: The pause after its first failure; it doubles up to `max_backoff_s` and
            starts again once the loop has run for a minute. Each is shortened at random by up to
            a half.
        scoped: Whether the project's scopes are around it, as around a job. One that works for
            others, who enter scopes of their own, does without.
    """

    name: str
    function: Callable[..., Awaitable[None]]
    roles: frozenset[Role] = ALL_ROLES
    drain_s: float = 0
    backoff_s: float = 1
    max_backoff_s: float = 30
    scoped: bool = True

    def __repr__(self) -> str:
        return f"<Service({self.name})>"


@overload
def service(function: Callable[..., Awaitable[None]], /) -> Service: ...
@overload
def service(
    *,
    name: str = ...,
    roles: Iterable[Role] = ...,
    drain_s: float = ...,
    backoff_s: float = ...,
    max_backoff_s: float = ...,
    scoped: bool = ...,
) -> Callable[[Callable[..., Awaitable[None]]], Service]: ...
def service(
    function: Any = None,
    /,
    *,
    name: str = "",
    roles: Iterable[Role] = ALL_ROLES,
    drain_s: float = 0,
    backoff_s: float = 1,
    max_backoff_s: float = 30,
    scoped: bool = True,
) -> Any:
    """Declare a service, in an app's `services.py`.

    Services start when every resource is open and stop before the first is closed.

    ```python
    @service(roles={Role.WORKER})
    async def refresh_rates(http: HttpClient) -> None:
        while True:
            await store(await http.get("https://example.com/rates"))
            await asyncio.sleep(60)
    ```

    Raises:
        ComponentError: It does not decorate an async function.
    """

    def declare(function: Callable[..., Awaitable[None]]) -> Service:
        if not inspect.iscoroutinefunction(function):
            raise ComponentError(
                f"the service {getattr(function, '__name__', function)!r} is not an async function",
                code="lifecycle.E002",
                hint="write `async def` with a loop",
                where=Location.of(function),
            )
        return Service(
            name=name or function.__name__,
            function=function,
            roles=frozenset(roles),
            drain_s=drain_s,
            backoff_s=backoff_s,
            max_backoff_s=max_backoff_s,
            scoped=scoped,
        )

    return declare if function is None else declare(function)
