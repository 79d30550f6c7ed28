"""JobHandle: a job that has been enqueued, as whoever enqueued it sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from pydantic import ValidationError

from .._utils import told
from ..exceptions import Location, TaskError
from ..lifecycle import current_container
from .backend import backend_of
from .desk import JobDesk
from .ends import cancelled_job, failed_job, unfinished_job, unknown_job
from .outcome import JobState
from .records import JobQuery, JobRecord, Progress
from .results import load_result
from .waiting import look_until

__all__ = ["JobHandle"]

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHandle(Generic[R_co]):
    """A job: what has become of it, and what may still be done about it.

    It is a value, and no connection: keep its `uid` and `task.job(uid)` makes another one, in
    another process as well.

    ```python
    handle = await resize.enqueue("picture.png")
    size = await handle.wait(timeout_s=30)
    ```

    Args:
        uid: The job's id, unique everywhere.
        task: The name of its task.
        queue: The queue that it was put into.
        is_new: Whether this enqueueing made it; else it was there, as the unique one.
        function: The task's function, whose annotation says what the result is.
    """

    uid: str
    task: str
    queue: str
    is_new: bool = True
    function: Callable[..., Any] = field(repr=False, compare=False)

    async def state(self) -> JobState:
        """Return where the job is in its life.

        Raises:
            JobUnknown: There is no such job (any more).
        """
        return (await self.record()).state

    async def progress(self) -> Progress | None:
        """Return how far the job said it is; None when it has said nothing.

        Raises:
            JobUnknown: There is no such job (any more).
        """
        return (await self.record()).progress

    async def record(self) -> JobRecord:
        """Return all that is known of the job.

        Raises:
            JobUnknown: There is no such job (any more), or it is one of another task.
        """
        for record in await _desk().find(self._query()):
            return record
        raise unknown_job(self.uid, self.task)

    async def result(self) -> R_co:
        """Return what the task returned.

        Raises:
            JobUnfinished: The job has not ended.
            JobFailed: It is dead.
            JobCancelled: It was cancelled.
            JobUnknown: There is no such job (any more).
            TaskError: The result does not fit the annotation of the task (any more).
        """
        record = await self.record()
        if record.state < JobState.DONE:
            raise unfinished_job(record)
        return self._result_of(record)

    async def wait(self, timeout_s: float | None = None) -> R_co:
        """Wait until the job has ended, and return what the task returned.

        It looks every 10 ms at first, and twice a second later.

        Surprises: a job that was enqueued in a transaction is there when that has committed. Who
        asks for it inside the transaction is told at once that it is unknown, and does not wait
        for what cannot happen.

        Args:
            timeout_s: How long to wait, in seconds; None for as long as it takes.

        Raises:
            JobUnfinished: The time is over; also a TimeoutError.
            JobFailed: The job is dead.
            JobCancelled: It was cancelled.
            JobUnknown: There is no such job (any more).
            TaskError: The result does not fit the annotation of the task (any more).
        """
        record = await look_until(self.record, _has_ended, timeout_s=timeout_s)
        if not _has_ended(record):
            raise unfinished_job(record, waited_s=timeout_s)
        return self._result_of(record)

    async def cancel(self) -> bool:
        """Cancel the job; one that runs is told to end, and has a second to hear of it.

        Returns:
            Whether there was something to cancel: False for a job that has ended.

        Raises:
            JobUnknown: There is no such job (any more).
        """
        return await self._act(_desk().cancel)

    async def retry(self) -> bool:
        """Let a dead or cancelled job run again, now and with all its attempts.

        Returns:
            Whether it was dead or cancelled.

        Raises:
            JobUnknown: There is no such job (any more).
        """
        return await self._act(_desk().retry)

    async def _act(self, act: Callable[[JobQuery], Any]) -> bool:
        if await act(self._query()):
            return True
        await self.record()  # a job that is not there is a mistake
        return False

    def _query(self) -> JobQuery:
        try:
            uid = str(UUID(self.uid))
        except ValueError:
            raise unknown_job(self.uid, self.task) from None
        return JobQuery(uids=(uid,), tasks=(self.task,))

    def _result_of(self, record: JobRecord) -> R_co:
        if record.state is JobState.DEAD:
            raise failed_job(record)
        if record.state is JobState.CANCELLED:
            raise cancelled_job(record)
        try:
            return cast("R_co", load_result(self.function, record.result))
        except ValidationError as error:
            raise TaskError(
                f"the result of the job {self.uid} does not fit what {self.task} returns:"
                f" {told(error)}",
                code="tasks.E028",
                hint="the task has changed since; read it as it is: (await handle.record()).result",
                where=Location.of(self.function),
            ) from error


def _desk() -> JobDesk:
    return backend_of(current_container()).desk


def _has_ended(record: JobRecord) -> bool:
    return record.state >= JobState.DONE
