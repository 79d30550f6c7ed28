"""Enqueuer: the ways to enqueue that a task has, and a task with something said about its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

import anyio.from_thread

from .._utils import calling_line
from ..exceptions import TaskError
from .arguments import arguments_of
from .batches import Batch
from .calls import Call
from .handles import JobHandle
from .keys import check_limit
from .keywords import refusing_unknown
from .limits import Unique
from .options import Options
from .sending import enqueue_many, listed_calls, send

if TYPE_CHECKING:
    from .declaration import Task

__all__ = ["Enqueuer", "PreparedTask"]

P = ParamSpec("P")
R = TypeVar("R")


class Enqueuer(Generic[P, R]):
    """What a task and `task.using(...)` have in common.

    The parameters are those of the task's function, without those that are injected.
    """

    __slots__ = ()

    def _recipe(self) -> tuple[Task[P, R], Options]:
        raise NotImplementedError

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """Return a call that can be enqueued later: in a batch, after one, by a schedule.

        ```python
        EVERY_NIGHT = every("0 3 * * *", send_report.call())
        ```

        Raises:
            TaskError: The arguments do not fit, or one of them cannot be written as JSON.
        """
        task, options = self._recipe()
        payload = arguments_of(task.function).dump(args, kwargs)
        return Call(task=task, payload=payload, options=options)

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> JobHandle[R]:
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
        return await send(self.call(*args, **kwargs))

    def enqueue_sync(self, *args: P.args, **kwargs: P.kwargs) -> JobHandle[R]:
        """Put a job into the queue from a plain `def` handler or task.

        It runs in a worker thread there, and what it enqueues belongs to its transaction.

        Raises:
            TaskError: As `enqueue`; or it was called where it would block the event loop, or
                in a thread that belongs to no event loop.
        """
        _refuse_loop_thread(self._recipe()[0].__name__)
        try:
            return anyio.from_thread.run(send, self.call(*args, **kwargs))
        except TaskError as error:
            error.where = error.where or calling_line()  # which the event loop does not know
            raise

    async def enqueue_many(
        self, calls: Iterable[Call[R]], *, then: Call[Any] | None = None
    ) -> Batch[R]:
        """Put many jobs of this task into the queue at once, as one batch.

        What `using` says holds for each of them that says nothing else.

        ```python
        batch = await resize.enqueue_many(resize.call(path) for path in paths)
        ```

        Args:
            calls: The jobs.
            then: What is enqueued, once, when all of them have ended, well or not. In the
                transaction in which the last of them ends.

        Raises:
            TaskError: One of them is no call of this task.
            ContainerMissing: No project runs here.
        """
        task, options = self._recipe()
        listed = listed_calls(calls)
        for call in listed:
            if call.task.name != task.name:
                raise TaskError(
                    f"{task.__name__}.enqueue_many was given a call of {call.task.__name__}",
                    code="tasks.E029",
                    hint="for calls of several tasks: fastforge.tasks.enqueue_many",
                    where=calling_line(),
                )
        return await enqueue_many([call.completed(options) for call in listed], then=then)

    @refusing_unknown(".using")
    def using(
        self,
        *,
        queue: str | None = None,
        delay: timedelta | float | None = None,
        run_at: datetime | None = None,
        priority: int | None = None,
        unique: bool | Unique | None = None,
        expires: timedelta | datetime | None = None,
    ) -> PreparedTask[P, R]:
        """Return the task with something said about the jobs that are enqueued by it.

        ```python
        await remind.using(delay=timedelta(hours=24), priority=10).enqueue(order_id=7)
        ```

        Args:
            queue: The queue that they wait in, in place of the task's. A worker has to take jobs
                from it.
            delay: How long after the enqueueing they are due; a number is in seconds.
            run_at: When they are due, with a time zone; one in the past means now.
            priority: In place of the task's; smaller runs first among what is due.
            unique: In place of the task's; False for a job that may be there twice.
            expires: How long after the enqueueing, or until which moment, they may begin. Later
                they are dead, with the error `JobExpired`.

        Raises:
            TaskError: A value is wrong, two of them exclude each other, or one has a name that
                there is not.
        """
        task, options = self._recipe()
        if unique:
            check_limit("unique", Unique() if unique is True else unique, Unique, task.function)
        said = Options(
            queue=queue,
            delay=delay,
            run_at=run_at,
            priority=priority,
            unique=unique,
            expires=expires,
        )
        return PreparedTask(task=task, options=said.over(options))


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTask(Enqueuer[P, R]):
    """A task with what `using` said. It is enqueued like the task itself.

    Args:
        task: The task.
        options: What was said.
    """

    task: Task[P, R]
    options: Options

    def _recipe(self) -> tuple[Task[P, R], Options]:
        return self.task, self.options


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
