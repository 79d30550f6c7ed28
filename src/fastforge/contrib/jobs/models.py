"""Job: one row for each job, from its enqueueing until it is forgotten."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ...tasks.outcome import JobState
from ..db import Model

__all__ = ["Job"]

_WAITING = sa.text(f"state = {JobState.READY:d}")
_RUNNING = sa.text(f"state = {JobState.RUNNING:d}")
_ENDED = sa.text(f"state >= {JobState.DONE:d}")


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

    # Partial, so that a million ended jobs cost a claim nothing.
    __table_args__ = (
        _PartialIndex("ix_jobs_job_waiting", "queue", "priority", "run_at", "id", where=_WAITING),
        _PartialIndex("ix_jobs_job_lease", "lease_until", where=_RUNNING),
        _PartialIndex("ix_jobs_job_ended", "keep_until", where=_ENDED),
    )
