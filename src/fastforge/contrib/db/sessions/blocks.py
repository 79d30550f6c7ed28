"""Blocks: what `async with` opens, and nothing but its `async with` closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from types import TracebackType
from typing import Final, ParamSpec, TypeVar

__all__ = ["block", "held"]

P = ParamSpec("P")
T = TypeVar("T")


def block(
    function: Callable[P, AsyncIterator[T]],
) -> Callable[P, AbstractAsyncContextManager[T]]:
    """Make a context manager of a generator function, as `asynccontextmanager` does.

    Surprises: as long as it is open it is no garbage, whoever has opened it. A stream that its
    client has left may end as garbage; the event loop then closes its generator, which leaves the
    blocks inside it in their order. Were they garbage too, the pool would have lost their
    connections by then, and the event loop would close each of them a second time.
    """
    make = asynccontextmanager(function)

    @wraps(function)
    def opened(*args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[T]:
        return _Block(make(*args, **kwargs))

    return opened


class _Block(AbstractAsyncContextManager[T]):
    """A context manager that is kept while it is open."""

    __slots__ = ("_manager",)

    def __init__(self, manager: AbstractAsyncContextManager[T]) -> None:
        self._manager = manager

    async def __aenter__(self) -> T:
        entered = await self._manager.__aenter__()
        held.add(self)
        return entered

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return await self._manager.__aexit__(kind, error, traceback)
        finally:
            held.discard(self)


held: Final[set[object]] = set()
"""What is open, and so no garbage."""
