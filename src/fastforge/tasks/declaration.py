"""Task: a function that can be enqueued, and the decorator that makes one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, Protocol, TypeVar, overload

import anyio.to_thread

from ..exceptions import Location, TaskError
from ..lifecycle import injected
from .enqueuer import Enqueuer
from .handles import JobHandle
from .keywords import refusing_unknown
from .limits import Concurrency, Rate, Unique
from .options import Options, check_priority, check_queue
from .retry import Retry

__all__ = ["Task", "task"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)  # without slots, because it carries its function's docstring
class Task(Enqueuer[P, R]):
    """A task. `enqueue` has the function's own parameters, without those that are injected.

    Args:
        function: What runs, `async def` or `def`; called directly it is the plain function.
        name: Unique in the project, and what waiting jobs are known by: keep it when the
            function moves.
        queue: The queue its jobs wait in.
        retry: When a failed job is tried again; None for `Retry()` with TASKS.max_attempts.
        timeout_s: How long an attempt may take, in seconds; None for no limit.
        priority: Smaller runs first among what is due in its queues.
        unique: Which of its jobs exist only once.
        concurrency: How many of its jobs run at the same time, in all workers together.
        rate: How many of its jobs begin within a time, in all workers together.
        isolate: Whether an attempt runs in a process of its own, which can be killed.
    """

    function: Callable[P, Awaitable[R] | R]
    name: str
    queue: str = "default"
    retry: Retry | None = None
    timeout_s: float | None = None
    priority: int = 0
    unique: Unique | None = None
    concurrency: Concurrency | None = None
    rate: Rate | None = None
    isolate: bool = False
    __name__: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for attribute in ("__name__", "__qualname__", "__module__", "__doc__"):
            object.__setattr__(self, attribute, getattr(self.function, attribute, None))
        object.__setattr__(self, "__wrapped__", self.function)
        check_queue(self.queue)
        check_priority(self.priority)
        _refuse_timeout(self.function, self.timeout_s)
        _refuse_no_retry(self.function, self.retry)

    @property
    def is_async(self) -> bool:
        """Whether it runs on the event loop; else it runs in a thread."""
        return inspect.iscoroutinefunction(self.function)

    def job(self, uid: str) -> JobHandle[R]:
        """Return the handle of a job of this task, whoever enqueued it.

        Surprises: nothing is looked up here. Whether there is such a job is found out by what is
        asked of the handle.

        ```python
        size = await resize.job(uid).result()
        ```

        Args:
            uid: The id that `enqueue` gave.
        """
        return JobHandle(
            uid=uid, task=self.name, queue=self.queue, is_new=False, function=self.function
        )

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

    def _recipe(self) -> tuple[Task[P, R], Options]:
        return self, _NOTHING_SAID

    def __repr__(self) -> str:
        return f"<Task({self.name})>"


_NOTHING_SAID: Final = Options()


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
    priority: int = ...,
    unique: bool | Unique | None = ...,
    concurrency: int | Concurrency | None = ...,
    rate: Rate | None = ...,
    isolate: bool = ...,
) -> _Declare: ...
@refusing_unknown("@task")
def task(
    function: Any = None,
    /,
    *,
    name: str = "",
    queue: str = "default",
    retry: Retry | None = None,
    timeout_s: float | None = None,
    priority: int = 0,
    unique: bool | Unique | None = None,
    concurrency: int | Concurrency | None = None,
    rate: Rate | None = None,
    isolate: bool = False,
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
        priority: Smaller runs first among what is due, from -32768 to 32767.
        unique: True, and a job is enqueued only once with the same arguments, until it has
            ended; `Unique(...)` for some of the arguments or for a period.
        concurrency: How many of its jobs run at the same time, in all workers together;
            `Concurrency(...)` to count them by an argument.
        rate: How many of its jobs begin within a time, in all workers together.
        isolate: Run each attempt in a process of its own, which can be killed: for blocking code
            that has to end at its time limit or when it is cancelled.

    Raises:
        TaskError: It decorates no function, or an argument is unknown or out of its range.
    """

    recipe = functools.partial(
        Task,
        queue=queue,
        retry=retry,
        timeout_s=timeout_s,
        priority=priority,
        unique=Unique() if unique is True else unique or None,
        concurrency=Concurrency(concurrency) if isinstance(concurrency, int) else concurrency,
        rate=rate,
        isolate=isolate,
    )
    declare = functools.partial(_declared, recipe, name)
    return declare if function is None else declare(function)


def _declared(
    recipe: Callable[..., Task[..., Any]], name: str, function: Callable[..., Any]
) -> Task[..., Any]:
    _refuse_no_function(function)
    return recipe(function=function, name=name or f"{function.__module__}.{function.__qualname__}")


def _refuse_no_function(function: Callable[..., Any]) -> None:
    if not inspect.isfunction(function) or inspect.isasyncgenfunction(function):
        raise TaskError(
            f"@task decorates {function!r}, which is no plain function",
            code="tasks.E011",
            hint="write `async def` or `def` without a yield",
            where=Location.of(function),
        )


def _refuse_timeout(function: Callable[..., Any], timeout_s: Any) -> None:
    is_number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool)
    if timeout_s is not None and not (is_number and 0 < timeout_s < float("inf")):
        raise TaskError(
            f"timeout_s={timeout_s!r} of the task {function.__name__} is not positive",
            code="tasks.E012",
            hint="give a number of seconds, or leave it out for no limit",
            where=Location.of(function),
        )


def _refuse_no_retry(function: Callable[..., Any], retry: Any) -> None:
    if retry is not None and not isinstance(retry, Retry):
        raise TaskError(
            f"retry={retry!r} of the task {function.__name__} is no Retry",
            code="tasks.E001",
            hint="write retry=Retry(max_attempts=5)",
            where=Location.of(function),
        )
