"""Records: what is told of jobs, queues, batches and workers, whichever backend keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from .outcome import AttemptError, JobState

__all__ = ["BatchRecord", "JobQuery", "JobRecord", "Progress", "QueueStats", "WorkerBeat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running job says it is.

    Args:
        done: How much is done.
        total: How much there is to do; None where nobody knows.
        message: What it is doing, in a few words.
    """

    done: float
    total: float | None = None
    message: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what is kept of it, here or in a version that has other fields."""
        names = ("done", "total", "message")
        return cls(**{"done": 0, **{name: value[name] for name in names if name in value}})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job as it stands. Times are in UTC; those that have not come yet are None.

    Args:
        worker_id: Who runs it, or ran it last.
        result: What it returned, as JSON.
        errors: What ended its last failed attempts, the oldest first.
        unique_key: The key that it takes as a unique job.
        cancelling: Somebody has asked to cancel it while it runs.
    """

    uid: str
    task: str
    queue: str
    state: JobState
    payload: Mapping[str, Any]
    priority: int = 0
    attempt: int = 0
    max_attempts: int = 10
    run_at: datetime
    enqueued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    worker_id: str | None = None
    batch: str | None = None
    unique_key: str | None = None
    progress: Progress | None = None
    result: Any = None
    errors: tuple[AttemptError, ...] = ()
    cancelling: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs are meant; what is left empty does not matter. The newest are the first.

    Args:
        uids: These jobs alone.
        uid_prefix: What the uid begins with, as it is written: lower case, with its dashes.
        states: In one of these states.
        tasks: Of one of these tasks.
        queues: In one of these queues.
        batch: Of this batch.
        since: Enqueued at that moment or later.
        until: Enqueued before that moment.
        limit: How many at most.
    """

    uids: tuple[str, ...] = ()
    uid_prefix: str = ""
    states: tuple[JobState, ...] = ()
    tasks: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    batch: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStats:
    """What waits and runs in one queue.

    Args:
        ready: Due now, and not begun.
        scheduled: Due later.
        held: Waiting for others of their key to end.
        oldest_ready_s: For how long the first of the due jobs has been due, in seconds.
        done_a_minute: How many have ended well in the last minute.
        paused: Workers take nothing from it.
    """

    queue: str
    ready: int = 0
    scheduled: int = 0
    held: int = 0
    running: int = 0
    done: int = 0
    dead: int = 0
    cancelled: int = 0
    oldest_ready_s: float | None = None
    done_a_minute: float = 0
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """How far a batch is.

    Args:
        total: How many jobs were enqueued in it.
        pending: How many of them have not ended.
        failed: How many of them ended as dead or were cancelled.
    """

    uid: str
    total: int
    pending: int
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerBeat:
    """What a worker says of itself every few seconds.

    Args:
        worker_id: Its id.
        queues: The queues that it takes jobs from.
        concurrency: How many jobs it runs at the same time.
        running: How many run at present.
        version: Of fastforge.
        started_at: When it started.
        beat_at: When it said so; None in what a worker gives, since the backend's clock counts.
        alive: Whether it has said so in time. Told by the backend.
    """

    worker_id: str
    host: str
    pid: int
    queues: tuple[str, ...]
    concurrency: int
    running: int
    version: str
    started_at: datetime
    beat_at: datetime | None = None
    alive: bool = True
