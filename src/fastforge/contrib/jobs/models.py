"""The tables of jobs: one row for each job, and what has to be remembered around it."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ...tasks.outcome import JobState
from ..db import Model

__all__ = ["Batch", "Job", "Pacing", "PausedQueue", "ScheduleRun", "UniqueKey", "Worker"]

_WAITING = sa.text(f"state = {JobState.READY:d}")
_RUNNING = sa.text(f"state = {JobState.RUNNING:d}")
_ENDED = sa.text(f"state >= {JobState.DONE:d}")
_FORWARDING = sa.text(f"state = {JobState.FORWARDING:d}")
_HELD = sa.text(f"paced IS FALSE AND state = {JobState.HELD:d}")
_HELD_BY_PACE = sa.text(f"paced IS TRUE AND state = {JobState.HELD:d}")
_TO_PACE = sa.text(f"pace_key IS NOT NULL AND paced IS FALSE AND state = {JobState.READY:d}")
_CANCELLING = sa.text(f"cancelling IS TRUE AND state = {JobState.RUNNING:d}")
_WITH_SLOTS = sa.text(f"slots_key IS NOT NULL AND state < {JobState.DONE:d}")
_IN_BATCH = sa.text("batch IS NOT NULL")


class _PartialIndex(sa.Index):
    """An index of the rows for which a condition holds.

    SQLAlchemy checks the usual arguments at once, and for that imports every driver of each
    dialect that they name. Here whoever writes or compares DDL pays for it, not a server.
    """

    def __init__(self, name: str, *columns: str, where: sa.TextClause) -> None:
        super().__init__(name, *columns)
        self._where = where

    @cached_property
    def dialect_options(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The options as the usual arguments give them."""
        usual = sa.Index(None, postgresql_where=self._where, sqlite_where=self._where)
        return usual.dialect_options


class Job(Model):
    """A job and its state (see `JobState`).

    Attributes:
        id: Older jobs have smaller ones; nobody outside the table knows it.
        uid: The id that `enqueue` gave back.
        version: The form of the envelope.
        priority: Smaller runs first.
        run_at: When it is due.
        attempt: How many attempts count; with `worker_id` it is the fence of a result.
        lease_until: When another worker may take it; only while it runs.
        worker_id: Who runs it, or ran it last when it has ended.
        unique_key: What it takes in `UniqueKey`.
        slots_key: At most `slots_limit` jobs with this key run at once; the others are HELD.
        pace_key: At most `pace_limit` jobs with this key begin within `pace_per_s` seconds.
        paced: Its `run_at` is a moment that it was given by its pace; of a HELD job, that it waits
            for its pace.
        batch: The batch that it belongs to.
        cancelling: Somebody has asked the worker that runs it to cancel it.
        keep_until: When the row of an ended job is deleted.
        errors: What ended the failed attempts, the oldest first.
    """

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True
    )
    uid: Mapped[str] = mapped_column(sa.Uuid(as_uuid=False), unique=True)
    task: Mapped[str] = mapped_column(sa.Text)
    queue: Mapped[str] = mapped_column(sa.Text)
    version: Mapped[int] = mapped_column(sa.SmallInteger)
    payload: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    headers: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    state: Mapped[int] = mapped_column(sa.SmallInteger)
    priority: Mapped[int] = mapped_column(sa.SmallInteger)
    run_at: Mapped[datetime]
    attempt: Mapped[int] = mapped_column(sa.SmallInteger)
    max_attempts: Mapped[int] = mapped_column(sa.SmallInteger)
    lease_until: Mapped[datetime | None]
    worker_id: Mapped[str | None] = mapped_column(sa.Text)
    enqueued_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    keep_until: Mapped[datetime | None]
    errors: Mapped[list[dict[str, Any]] | None] = mapped_column(sa.JSON(none_as_null=True))
    expires_at: Mapped[datetime | None]
    unique_key: Mapped[str | None] = mapped_column(sa.Text)
    slots_key: Mapped[str | None] = mapped_column(sa.Text)
    slots_limit: Mapped[int | None]
    pace_key: Mapped[str | None] = mapped_column(sa.Text)
    pace_limit: Mapped[int | None]
    pace_per_s: Mapped[float | None]
    paced: Mapped[bool] = mapped_column(server_default=sa.false())
    batch: Mapped[str | None] = mapped_column(sa.Uuid(as_uuid=False))
    cancelling: Mapped[bool] = mapped_column(server_default=sa.false())
    progress: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    result: Mapped[Any] = mapped_column(sa.JSON(none_as_null=True), nullable=True)

    # Partial, so that a million ended jobs cost a claim nothing.
    __table_args__ = (
        _PartialIndex("ix_jobs_job_waiting", "queue", "priority", "run_at", "id", where=_WAITING),
        _PartialIndex("ix_jobs_job_lease", "lease_until", where=_RUNNING),
        _PartialIndex("ix_jobs_job_ended", "state", "queue", "keep_until", where=_ENDED),
        _PartialIndex("ix_jobs_job_forwarding", "id", where=_FORWARDING),
        _PartialIndex("ix_jobs_job_slots", "slots_key", "state", where=_WITH_SLOTS),
        _PartialIndex("ix_jobs_job_held", "slots_key", "priority", "run_at", "id", where=_HELD),
        _PartialIndex(
            "ix_jobs_job_held_by_pace",
            *("pace_key", "priority", "run_at", "id"),
            where=_HELD_BY_PACE,
        ),
        _PartialIndex("ix_jobs_job_to_pace", "pace_key", where=_TO_PACE),
        _PartialIndex("ix_jobs_job_cancelling", "worker_id", where=_CANCELLING),
        _PartialIndex("ix_jobs_job_batch", "batch", where=_IN_BATCH),
    )


class UniqueKey(Model):
    """A key that is taken: no second job that has it is enqueued.

    Attributes:
        uid: The job that takes it.
        until: For how long; None until the job has ended.
    """

    key: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    uid: Mapped[str] = mapped_column(sa.Uuid(as_uuid=False), index=True)
    until: Mapped[datetime | None] = mapped_column(index=True)


class Pacing(Model):
    """When the next job of a pace may begin."""

    key: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    next_at: Mapped[datetime]


class Batch(Model):
    """Jobs that were enqueued together, and how many of them have not ended.

    Attributes:
        then: The envelope that is enqueued when all have ended, as JSON.
    """

    uid: Mapped[str] = mapped_column(sa.Uuid(as_uuid=False), primary_key=True)
    total: Mapped[int]
    pending: Mapped[int]
    failed: Mapped[int]
    then: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    enqueued_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)


class ScheduleRun(Model):
    """A due time of a schedule that has been entered; its key is what makes it happen once.

    Attributes:
        uid: The job that it became; None where none was enqueued.
    """

    schedule: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    uid: Mapped[str | None] = mapped_column(sa.Uuid(as_uuid=False))
    entered_at: Mapped[datetime] = mapped_column(index=True)


class PausedQueue(Model):
    """A queue from which no worker takes jobs."""

    queue: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    paused_at: Mapped[datetime]


class Worker(Model):
    """A worker, as it said of itself last."""

    worker_id: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    host: Mapped[str] = mapped_column(sa.Text)
    pid: Mapped[int]
    queues: Mapped[list[str]] = mapped_column(sa.JSON)
    concurrency: Mapped[int]
    running: Mapped[int]
    version: Mapped[str] = mapped_column(sa.Text)
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
