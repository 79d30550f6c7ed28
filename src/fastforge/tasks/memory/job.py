"""MemoryJob: a job and its state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..backend import Claim
from ..envelope import Envelope
from ..outcome import AttemptError, JobState
from ..records import JobQuery, JobRecord, Progress

__all__ = ["MemoryJob"]


@dataclass(slots=True, kw_only=True, eq=False)
class MemoryJob:
    """A job and its state, for tests to look at.

    Attributes:
        number: Older jobs have smaller ones.
        paced: Its `run_at` is a moment that it was given by its pace.
    """

    envelope: Envelope
    number: int
    run_at: datetime
    enqueued_at: datetime
    state: JobState = JobState.READY
    attempt: int = 0
    worker_id: str | None = None
    lease_until: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    keep_until: datetime | None = None
    errors: tuple[AttemptError, ...] = ()
    paced: bool = False
    cancelling: bool = False
    progress: Progress | None = None
    result: Any = None

    @property
    def uid(self) -> str:
        """The id that `enqueue` gave back."""
        return self.envelope.uid

    @property
    def order(self) -> tuple[int, datetime, int]:
        """What the jobs that wait are sorted by."""
        return self.envelope.priority, self.run_at, self.number

    @property
    def slots_key(self) -> str | None:
        """What it is counted by among the running jobs."""
        return self.envelope.slots.key if self.envelope.slots else None

    def is_meant_by(self, query: JobQuery) -> bool:
        """Return whether a query asks for it, whatever its limit says."""
        envelope = self.envelope
        return (
            (not query.uids or envelope.uid in query.uids)
            and envelope.uid.startswith(query.uid_prefix)
            and (not query.states or self.state in query.states)
            and (not query.tasks or envelope.task in query.tasks)
            and (not query.queues or envelope.queue in query.queues)
            and (query.batch is None or envelope.batch == query.batch)
            and (query.since is None or self.enqueued_at >= query.since)
            and (query.until is None or self.enqueued_at < query.until)
        )

    def as_claim(self) -> Claim:
        """Return the attempt that a worker holds now."""
        return Claim(key=self.uid, attempt=self.attempt, envelope=self.envelope, errors=self.errors)

    def as_record(self) -> JobRecord:
        """Return it as it stands."""
        envelope = self.envelope
        return JobRecord(
            uid=envelope.uid,
            task=envelope.task,
            queue=envelope.queue,
            state=self.state,
            payload=envelope.payload,
            priority=envelope.priority,
            attempt=self.attempt,
            max_attempts=envelope.max_attempts,
            run_at=self.run_at,
            enqueued_at=self.enqueued_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            expires_at=envelope.expires_at,
            headers=envelope.headers,
            worker_id=self.worker_id,
            batch=envelope.batch,
            unique_key=envelope.unique.key if envelope.unique else None,
            progress=self.progress,
            result=self.result,
            errors=self.errors,
            cancelling=self.cancelling,
        )
