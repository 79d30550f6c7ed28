"""Jobs: what a test asks of the jobs of its project, and does with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from ...lifecycle import Container
from ...project import Project
from ...tasks import Clock, JobQuery, JobRecord, JobState, Task, TaskBackend
from ...tasks.arguments import arguments_of
from ...tasks.backend import backend_of
from ...tasks.schedules.scheduler import Scheduler
from ...tasks.trouble import Trouble
from .backends import BackendsOfTests
from .draining import Draining
from .inline import Inline
from .life import Life
from .texts import not_found, unexpected

__all__ = ["Jobs"]

WAITING: Final = (JobState.FORWARDING, JobState.HELD, JobState.READY)


class Jobs:
    """The jobs of one test, on the backend that its project has.

    Jobs are enqueued as in production: their arguments and results travel as JSON, and inside a
    transaction they are there when it commits.

    ```python
    async def test_a_receipt_is_sent(client: httpx.AsyncClient, jobs: Jobs) -> None:
        await client.post("/orders")
        await jobs.assert_enqueued(send_receipt, order_id=1)
        await jobs.drain()
    ```

    Attributes:
        clock: What the backend goes by; `jobs.clock.advance(timedelta(hours=1))` in place of
            waiting for a backoff or a delay; for schedules there is `let_pass`.
    """

    def __init__(self, project: Project, backends: BackendsOfTests) -> None:
        self.clock: Clock = backends.clock
        self._backends = backends
        self._life = Life(project)
        self._scheduler: Scheduler | None = None

    async def enqueued(self, task: Task[..., Any] | None = None) -> list[JobRecord]:
        """Return the jobs that wait, the oldest first: also those that are due later.

        ```python
        assert [job.queue for job in await jobs.enqueued(send_receipt)] == ["mail"]
        ```

        Args:
            task: Of this task alone.
        """
        backend = await self._backend()
        tasks = () if task is None else (task.name,)
        return list(await backend.desk.find(JobQuery(states=WAITING, tasks=tasks)))[::-1]

    async def assert_enqueued(self, task: Task[..., Any], /, **arguments: Any) -> JobRecord:
        """Assert that a job waits, and return it: the oldest, if there are several.

        ```python
        job = await jobs.assert_enqueued(send_receipt, order_id=7)
        ```

        Args:
            task: Its task.
            arguments: Those that it has to have been enqueued with, as `enqueue` takes them; others
                do not matter.

        Raises:
            AssertionError: There is none; it says which there are, and what the nearest is.
            TaskError: The task takes no such argument, or not such a value.
        """
        __tracebackhide__ = True  # pytest shows the line of the test, and not ours
        wanted = arguments_of(task.function).dump_some(arguments)
        for job in await self.enqueued(task):
            if _has(job, wanted):
                return job
        backend = await self._backend()
        everything = list(await backend.desk.find(JobQuery()))[::-1]
        raise AssertionError(not_found(task.name, wanted, everything, self.clock.now()))

    async def assert_not_enqueued(
        self, task: Task[..., Any] | None = None, /, **arguments: Any
    ) -> None:
        """Assert that no such job waits; without a task none at all.

        Args:
            task: Its task.
            arguments: As in `assert_enqueued`.

        Raises:
            AssertionError: There are some; it says which.
            TaskError: As in `assert_enqueued`.
        """
        __tracebackhide__ = True
        wanted = {} if task is None else arguments_of(task.function).dump_some(arguments)
        found = [job for job in await self.enqueued(task) if _has(job, wanted)]
        if found:
            raise AssertionError(unexpected(found, self.clock.now()))

    async def drain(
        self, *, with_scheduled: bool = False, raises: bool = True, limit: int = 1000
    ) -> list[JobRecord]:
        """Run what is due, and what that enqueues, one after the other, until nothing is.

        They run here, with the resources of the project in the role of a command. An attempt that
        fails is recorded before it raises: then its job waits for its next one.

        ```python
        await jobs.drain()
        ```

        Surprises: `with_scheduled` advances the clock to what is due later, for all that looks at
        it. Inside `atomic` it cannot run: what the block has enqueued is not there yet.

        Args:
            with_scheduled: Run also what is due later, retries among it.
            raises: Raise what a job raises; else it is recorded as a worker would, and the next
                job runs.
            limit: How many attempts there may be.

        Returns:
            The jobs that ran, as they are now, in the order in which they began.

        Raises:
            TaskError: It came to no end, or a job could not be run.
            Exception: What a job raised.
        """
        draining = Draining(await self._container(), await self._backend(), limit=limit)
        await draining.run(with_scheduled=with_scheduled, raises=raises)
        return await draining.records()

    async def let_pass(self, time: timedelta) -> None:
        """Advance the clock, and let the schedules enqueue what becomes due meanwhile.

        ```python
        await jobs.let_pass(timedelta(days=1))
        await jobs.assert_enqueued(send_report)
        ```

        Surprises: the schedules of a test begin with its first call. It runs no jobs; a schedule
        that waits for its last job to end goes on after `drain`.

        Args:
            time: How much of it passes.
        """
        if self._scheduler is None:
            container = await self._container()
            self._scheduler = Scheduler.of(container, await self._backend(), Trouble())
        end = self.clock.now() + time
        await self._scheduler.tick()
        while (due := self._scheduler.next_due) is not None and due <= end:
            self._move_to(due)
            await self._scheduler.tick()
        self._move_to(end)

    @contextmanager
    def inline(self, *, raises: bool = True) -> Iterator[None]:
        """Run jobs where they are enqueued: at once, or when the transaction around commits.

        ```python
        with jobs.inline():
            await client.post("/orders")  # its receipt is sent when it answers
        ```

        Surprises: what waits already runs too, and what is due later does not. What a job enqueues
        runs when that job has ended. The answer of a request waits for all of it.

        Args:
            raises: Raise what the jobs have raised, at the end of the block.

        Raises:
            TaskError: A job could not be run.
            BaseExceptionGroup: What several have raised.
            Exception: What one has raised.
        """
        inline = Inline()
        outer, self._backends.on_enqueue = self._backends.on_enqueue, inline.enqueued
        try:
            yield
        finally:
            self._backends.on_enqueue = outer
        if raises and inline.failures:
            if len(inline.failures) == 1:
                raise inline.failures[0]
            raise BaseExceptionGroup("several jobs have failed", inline.failures)

    async def close(self) -> None:
        """End what was opened; the fixture does."""
        await self._life.close()

    def _move_to(self, moment: datetime) -> None:
        self.clock.advance(max(moment - self.clock.now(), timedelta()))

    async def _container(self) -> Container:
        return await self._life.container()

    async def _backend(self) -> TaskBackend:
        return backend_of(await self._container())


def _has(job: JobRecord, wanted: dict[str, Any]) -> bool:
    return all(name in job.payload and job.payload[name] == wanted[name] for name in wanted)
