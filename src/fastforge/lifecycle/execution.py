"""Execution: one run of a planned function, with the scopes around it and its parameters filled."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from typing import Any

import anyio.to_thread

from .._utils import without_partials
from .container import Container, use_container
from .plan import Plan, plan
from .scope import Scope

__all__ = ["execute", "solve"]


@asynccontextmanager
async def execute(
    container: Container, planned: Plan, *, scoped: bool = True
) -> AsyncIterator[dict[str, Any]]:
    """Enter a project's scopes and yield the injected parameters of one execution.

    At the end the generators among the dependencies are closed, then the scopes, in reverse;
    an exception of the body is raised at their `yield`. One that catches it does not undo it: it
    is raised here all the same, as a handler that failed stays one that failed.

    ```python
    async with execute(container, plan(recount)) as values:
        await recount(**values)
    ```

    Args:
        container: The running project.
        planned: The function's plan.
        scoped: Whether the scopes are entered.
    """
    failure: BaseException | None = None
    with use_container(container):
        async with AsyncExitStack() as stack:
            scopes: tuple[Scope, ...] = container.registry.values("scopes")
            for scope in scopes if scoped else ():
                values = await solve(plan(scope.function), stack)
                await stack.enter_async_context(_manager_of(scope.function)(**values))
            injected = await solve(planned, stack)
            try:
                yield injected
            except BaseException as error:
                failure = error
                raise
    try:
        if failure is not None:
            raise failure
    finally:
        failure = None  # its traceback holds this very frame


async def solve(
    planned: Plan, stack: AsyncExitStack, cache: dict[Any, Any] | None = None
) -> dict[str, Any]:
    """Return the values of a plan's injected parameters; what has to be closed goes on `stack`."""
    values: dict[str, Any] = {}
    if not planned.dependencies:
        return values
    cache = {} if cache is None else cache
    for dependency in planned.dependencies:
        call = dependency.call
        if dependency.use_cache and call in cache:
            values[dependency.parameter] = cache[call]
            continue
        inner = await solve(dependency.plan, stack, cache)
        values[dependency.parameter] = value = await _call(call, inner, stack)
        cache.setdefault(call, value)
    return values


async def _call(call: Callable[..., Any], values: dict[str, Any], stack: AsyncExitStack) -> Any:
    target = _what_runs(call)
    if inspect.isasyncgenfunction(target):
        return await stack.enter_async_context(_manager_of(call)(**values))
    if inspect.isgeneratorfunction(target):
        return await stack.enter_async_context(_in_thread(call, values))
    if inspect.iscoroutinefunction(target):
        return await call(**values)
    if inspect.isclass(target):
        return call(**values)
    # As in a handler, a plain function may block: it runs in a thread.
    return await anyio.to_thread.run_sync(lambda: call(**values))


@functools.lru_cache(maxsize=4096)
def _manager_of(call: Callable[..., Any]) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """Return what opens an async generator function, made once for each."""
    return asynccontextmanager(call)


def _what_runs(call: Any) -> Any:
    """Return the function behind a callable object; a function or class itself."""
    call = inspect.unwrap(without_partials(call))
    return call if inspect.isroutine(call) or inspect.isclass(call) else type(call).__call__


@asynccontextmanager
async def _in_thread(
    call: Callable[..., Iterator[Any]], values: dict[str, Any]
) -> AsyncIterator[Any]:
    manager = contextmanager(call)(**values)
    value = await anyio.to_thread.run_sync(manager.__enter__)
    try:
        yield value
    except BaseException as error:
        failure = error
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(
                lambda: manager.__exit__(type(failure), failure, failure.__traceback__)
            )
        raise
    else:
        await anyio.to_thread.run_sync(lambda: manager.__exit__(None, None, None))
