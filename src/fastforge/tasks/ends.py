"""Ends: why a job has no result to give, as errors."""

from __future__ import annotations

from ..exceptions import TaskError
from .outcome import AttemptError
from .records import JobRecord

__all__ = [
    "JobCancelled",
    "JobFailed",
    "JobUnfinished",
    "JobUnknown",
    "cancelled_job",
    "failed_job",
    "unfinished_job",
    "unknown_job",
]


class JobUnknown(TaskError, LookupError):
    """There is no such job, or no such batch: it has never been, or is not kept any more."""


class JobUnfinished(TaskError, TimeoutError):
    """A job, or a batch, has not ended (in time)."""


class JobCancelled(TaskError):
    """A job was cancelled, and has no result."""


class JobFailed(TaskError):
    """A job is dead.

    Attributes:
        error: What ended its last attempt.
        errors: What ended its last attempts, the oldest first.
    """

    errors: tuple[AttemptError, ...] = ()

    @property
    def error(self) -> AttemptError | None:
        """What ended the last attempt."""
        return self.errors[-1] if self.errors else None


def unknown_job(uid: str, task: str) -> JobUnknown:
    """Return the error for a job that is not there."""
    return JobUnknown(
        f"there is no job {uid} of the task {task}",
        code="tasks.E030",
        hint="it is there once its transaction has committed, and for a time after it has ended",
    )


def unfinished_job(record: JobRecord, *, waited_s: float | None = None) -> JobUnfinished:
    """Return the error for a job that has not ended."""
    waited = "" if waited_s is None else f" after {waited_s:g} s"
    failed = f"; attempt {record.attempt} failed: {record.errors[-1]}" if record.errors else ""
    return JobUnfinished(
        f"the job {record.uid} of {record.task} has not ended{waited}: it is {record.state.name},"
        f" due at {record.run_at.isoformat()}{failed}",
        code="tasks.E031",
        hint="wait for it: await handle.wait(timeout_s=...); it takes a worker to run it",
    )


def failed_job(record: JobRecord) -> JobFailed:
    """Return the error for a job that is dead."""
    last = record.errors[-1] if record.errors else "no attempt is known"
    failed = JobFailed(
        f"the job {record.uid} of {record.task} is dead after attempt {record.attempt}: {last}",
        code="tasks.E032",
        hint="mend the cause, then run it again: await handle.retry()",
    )
    failed.errors = record.errors
    return failed


def cancelled_job(record: JobRecord) -> JobCancelled:
    """Return the error for a job that was cancelled."""
    return JobCancelled(
        f"the job {record.uid} of {record.task} was cancelled",
        code="tasks.E033",
        hint="to run it all the same: await handle.retry()",
    )
