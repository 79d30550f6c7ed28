"""Resource: a recipe for something that is opened once in a process and closed at its end."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from ..exceptions import ComponentError, Location
from .role import ALL_ROLES, Role

__all__ = ["Resource", "resource"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource(Generic[T]):
    """The recipe. The running instance is found in the process's Container.

    Args:
        name: Unique in the project; the function's name.
        function: Yields the instance once; what follows the `yield` closes it.
        needs: Resources that have to be open first, besides those its parameters name.
        roles: The kinds of process that open it.
        required: Without a required resource a process does not start. One that is not
            required (degradable) is opened again and again in the background.
        start_timeout_s: The time limit of one attempt to open it.
        close_timeout_s: The time limit of closing it.
        ping: Raises when the instance does not work any more; for health checks.
        optional: Whether the process can serve without an instance that it has, where only the
            settings know; for health checks.
        opens_first: Whether it opens before those that say nothing, and closes after them: what
            watches over the others does.
        stands_for: The resource in whose place it opens; the two are found by each other.
    """

    name: str
    function: Callable[..., AsyncIterator[T]]
    needs: tuple[Resource[Any], ...] = ()
    roles: frozenset[Role] = ALL_ROLES
    required: bool = True
    start_timeout_s: float = 10
    close_timeout_s: float = 5
    ping: Callable[[T], Awaitable[object]] | None = None
    optional: Callable[[T], bool] | None = None
    opens_first: bool = False
    stands_for: Resource[T] | None = None

    # Whoever asks for the original by annotation is given what stands for it.

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Resource) and (self.stands_for or self) is (
            other.stands_for or other
        )

    def __hash__(self) -> int:
        return object.__hash__(self.stands_for or self)

    def __repr__(self) -> str:
        return f"<Resource({self.name})>"


@overload
def resource(function: Callable[..., AsyncIterator[T]], /) -> Resource[T]: ...
@overload
def resource(
    *,
    name: str = ...,
    needs: Iterable[Resource[Any]] = ...,
    roles: Iterable[Role] = ...,
    required: bool = ...,
    start_timeout_s: float = ...,
    close_timeout_s: float = ...,
    ping: Callable[[Any], Awaitable[object]] | None = ...,
    optional: Callable[[Any], bool] | None = ...,
    opens_first: bool = ...,
) -> Callable[[Callable[..., AsyncIterator[T]]], Resource[T]]: ...
def resource(
    function: Any = None,
    /,
    *,
    name: str = "",
    needs: Iterable[Resource[Any]] = (),
    roles: Iterable[Role] = ALL_ROLES,
    required: bool = True,
    start_timeout_s: float = 10,
    close_timeout_s: float = 5,
    ping: Callable[[Any], Awaitable[object]] | None = None,
    optional: Callable[[Any], bool] | None = None,
    opens_first: bool = False,
) -> Any:
    """Declare a resource, in an app's `resources.py`.

    Surprises: nothing is registered here, and opening and closing run in one task of their
    own, so that a cancel scope may span them. Its parameters are annotated as a handler's are,
    and what they name is opened before it.

    ```python
    @resource(close_timeout_s=2)
    async def search(config: SearchConfig) -> AsyncIterator[SearchClient]:
        async with SearchClient(config.url) as client:
            yield client

    Search = Annotated[SearchClient, provide(search)]
    ```

    Raises:
        ComponentError: It does not decorate an async generator function, or its needs hold
            something else than resources.
    """

    def declare(function: Callable[..., AsyncIterator[T]]) -> Resource[T]:
        if not inspect.isasyncgenfunction(function):
            raise ComponentError(
                f"the resource {function.__name__!r} is not an async function with a yield",
                code="lifecycle.E001",
                hint="write `async def`, open, `yield` the instance, then close it",
                where=Location.of(function),
            )
        return Resource(
            name=name or function.__name__,
            function=function,
            needs=_checked(needs, function),
            roles=frozenset(roles),
            required=required,
            start_timeout_s=start_timeout_s,
            close_timeout_s=close_timeout_s,
            ping=ping,
            optional=optional,
            opens_first=opens_first,
        )

    return declare if function is None else declare(function)


def _checked(needs: Iterable[object], function: Callable[..., Any]) -> tuple[Resource[Any], ...]:
    resources: list[Resource[Any]] = []
    for need in needs:
        if not isinstance(need, Resource):
            raise ComponentError(
                f"the needs of the resource {function.__name__!r} hold {need!r},"
                " which is no resource",
                code="lifecycle.E013",
                hint="give the resource itself, not its name",
                where=Location.of(function),
            )
        resources.append(need)
    return tuple(resources)
