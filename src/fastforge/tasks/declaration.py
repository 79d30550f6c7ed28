"""Task: a function that can be enqueued, and the decorator that makes one."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

import anyio.from_thread
import anyio.to_thread

from ..exceptions import Location, TaskError
from ..lifecycle import current_container, injected
from .arguments import arguments_of
from .backend import JobHandle, backend_of
from .envelope import Envelope
from .retry import Retry
from .settings import Tasks

__all__ = ["Task", "task"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)  # without slots, because it carries its function's docstring
class Task(Generic[P, R]):
    """A task. `enqueue` has the function's own parameters, without those that are injected.

    Args:
        function: What runs, `async def` or `def`; called directly it is the plain function.
        name: Unique in the project, and what waiting jobs are known by: keep it when the
            function moves.
        queue: The queue its jobs wait in.
        retry: When a failed job is tried again; None for `Retry()` with TASKS.max_attempts.
        timeout_s: How long an attempt may take, in seconds; None for no limit.
    """

    function: Callable[P, Awaitable[R] | R]
    name: str
    queue: str = "default"
    retry: Retry | None = None
    timeout_s: float | None = None
    __name__: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for attribute in ("__name__", "__qualname__", "__module__", "__doc__"):
            object.__setattr__(self, attribute, getattr(self.function, attribute, None))
        object.__setattr__(self, "__wrapped__", self.function)

    @property
    def is_async(self) -> bool:
        """Whether it runs on the event loop; else it runs in a thread."""
        return inspect.iscoroutinefunction(self.function)

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> JobHandle:
        """Put a job into the queue, in the transaction that runs here if there is one.

        Surprises: inside a transaction nothing runs before it commits, and nothing ever does
        when it rolls back.

        ```python
        await send_receipt.enqueue(order_id=7)
        ```

        Raises:
            TaskError: The arguments do not fit, or one of them cannot be written as JSON.
            ContainerMissing: No project runs here.
        """
        payload = arguments_of(self.function).dump(args, kwargs)
        container = current_container()
        backend = backend_of(container)
        settings = container.settings.section(Tasks)
        retry = self.retry or Retry(max_attempts=settings.max_attempts)
        envelope = Envelope(
            task=self.name,
            payload=payload,
            queue=self.queue,
            max_attempts=retry.max_attempts,
        )
        await backend.enqueue((envelope,))
        return JobHandle(
            uid=envelope.uid, task=self.name, queue=self.queue, backend=settings.backend
        )

    def enqueue_sync(self, *args: P.args, **kwargs: P.kwargs) -> JobHandle:
        """Put a job into the queue from a plain `def` handler or task.

        It runs in a worker thread there, and what it enqueues belongs to its transaction.

        Raises:
            TaskError: As `enqueue`; or it was called where it would block the event loop, or
                in a thread that belongs to no event loop.
        """
        _refuse_loop_thread(self.__name__)
        return anyio.from_thread.run(functools.partial(self.enqueue, *args, **kwargs))

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function here and now: in a test, or as part of another task.

        Injected parameters have to be given, since no worker is there to fill them.

        ```python
        assert await send_receipt(order_id=7, db=session) is None
        ```
        """
        self._refuse_uninjected(args, kwargs)
        call = functools.partial(self.function, *args, **kwargs)
        result: Any
        if self.is_async:
            result = await call()  # type: ignore[misc]
        else:
            result = await anyio.to_thread.run_sync(call)
        return result  # type: ignore[no-any-return]

    def _refuse_uninjected(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        missing = [name for name, value in bound.arguments.items() if value is injected]
        if missing:
            raise TaskError(
                f"{self.__name__} was called without {', '.join(missing)}, which a worker injects",
                code="tasks.E010",
                hint=f"give it: {self.__name__}(..., {missing[0]}=...), or enqueue the task",
                where=Location.of(self.function),
            )

    def __repr__(self) -> str:
        return f"<Task({self.name})>"


class _Declare(Protocol):
    """What `@task(...)` gives: overloads, because a ParamSpec cannot say "async or not"."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


@overload
def task(function: Callable[P, Coroutine[Any, Any, R]], /) -> Task[P, R]: ...
@overload
def task(function: Callable[P, R], /) -> Task[P, R]: ...
@overload
def task(
    *,
    name: str = ...,
    queue: str = ...,
    retry: Retry | None = ...,
    timeout_s: float | None = ...,
) -> _Declare: ...
def task(
    function: Any = None,
    /,
    *,
    name: str = "",
    queue: str = "default",
    retry: Retry | None = None,
    timeout_s: float | None = None,
) -> Any:
    """Declare a task, in an app's `tasks.py`.

    Parameters that are injected are annotated as in a handler and have the default `injected`.
    All others travel as JSON and are validated twice: when the job is enqueued and when it runs.
    A plain `def` runs in a thread; a limit of time ends the waiting for it, not the thread.
    A job runs at least once: after a crash it runs again, so write it to bear that.

    ```python
    @task(queue="mail", retry=Retry(max_attempts=8), timeout_s=30)
    async def send_receipt(order_id: int, *, db: DbSession = injected) -> None:
        \"\"\"Mail the receipt of one paid order.\"\"\"

    await send_receipt.enqueue(order_id=7)
    ```

    Args:
        name: What its jobs are known by; the module and name of the function unless given.
        queue: The queue its jobs wait in.
        retry: When a failed job is tried again.
        timeout_s: How long an attempt may take, in seconds.

    Raises:
        TaskError: It does not decorate a function, or the time limit is not positive.
    """

    def declare(function: Callable[..., Any]) -> Task[..., Any]:
        _refuse_declaration(function, timeout_s)
        return Task(
            function=function,
            name=name or f"{function.__module__}.{function.__qualname__}",
            queue=queue,
            retry=retry,
            timeout_s=timeout_s,
        )

    return declare if function is None else declare(function)


def _refuse_declaration(function: Callable[..., Any], timeout_s: float | None) -> None:
    if not inspect.isfunction(function) or inspect.isasyncgenfunction(function):
        raise TaskError(
            f"@task decorates {function!r}, which is no plain function",
            code="tasks.E011",
            hint="write `async def` or `def` without a yield",
            where=Location.of(function),
        )
    if timeout_s is not None and timeout_s <= 0:
        raise TaskError(
            f"timeout_s={timeout_s:g} of the task {function.__name__} is not positive",
            code="tasks.E012",
            hint="leave it out for no limit",
            where=Location.of(function),
        )


def _refuse_loop_thread(name: str) -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise TaskError(
            f"{name}.enqueue_sync was called on the event loop, which it would block",
            code="tasks.E013",
            hint=f"write: await {name}.enqueue(...)",
        )
    try:
        anyio.from_thread.check_cancelled()
    except RuntimeError:
        raise TaskError(
            f"{name}.enqueue_sync was called in a thread that no event loop started",
            code="tasks.E014",
            hint="call it from a `def` handler or task, or use `await enqueue` in async code",
        ) from None
