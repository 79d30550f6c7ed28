"""Statements: the SQL of the jobs table, built once for both dialects."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import sqlalchemy as sa

from ...tasks.backend import ClaimRequest
from ...tasks.envelope import Envelope
from ...tasks.outcome import ERRORS_KEPT, AttemptError, JobState, Outcome
from .models import Job

__all__ = ["CHANNEL", "JOB", "Statements"]

CHANNEL: Final = "fastforge_jobs"
"""The PostgreSQL channel that an enqueueing transaction notifies."""
DONE_KEPT: Final = timedelta(days=1)
DEAD_KEPT: Final = timedelta(days=30)
EXPIRED_LIMIT: Final = 500
PRUNE_LIMIT: Final = 1000

JOB: Final = cast("sa.Table", Job.__table__)


def _literal(state: JobState) -> sa.ColumnElement[int]:
    # As a literal, because a partial index is not used for a state that is a bound parameter.
    return sa.literal_column(str(state.value), sa.SmallInteger())


READY: Final = _literal(JobState.READY)
RUNNING: Final = _literal(JobState.RUNNING)
DONE: Final = _literal(JobState.DONE)
DEAD: Final = _literal(JobState.DEAD)

ORDER: Final = (JOB.c.priority, JOB.c.run_at, JOB.c.id)


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements for one dialect.

    Leases and due times are read by one clock: PostgreSQL's own, or that of the one host on which
    a SQLite file lives.

    Args:
        dialect: `postgresql` or `sqlite`.
    """

    dialect: str

    @property
    def is_postgresql(self) -> bool:
        """Whether rows can be locked and workers notified."""
        return self.dialect == "postgresql"

    def now(self) -> sa.ColumnElement[datetime]:
        """Return the time."""
        if self.is_postgresql:
            return sa.func.now(type_=JOB.c.run_at.type)
        return sa.literal(datetime.now(UTC), JOB.c.run_at.type)

    def later(self, delay: timedelta) -> sa.ColumnElement[datetime]:
        """Return a time from now."""
        if self.is_postgresql:
            return sa.func.now() + sa.literal(delay, sa.Interval())
        return sa.literal(datetime.now(UTC) + delay, JOB.c.run_at.type)

    def insert(self, envelope: Envelope) -> sa.Insert:
        """Return the statement that keeps a job, and wakes the workers at its commit."""
        now = self.now()
        statement = JOB.insert().values(
            uid=envelope.uid,
            task=envelope.task,
            queue=envelope.queue,
            version=envelope.version,
            payload=dict(envelope.payload),
            headers=dict(envelope.headers),
            state=READY,
            priority=0,
            run_at=self._due(envelope),
            attempt=0,
            max_attempts=envelope.max_attempts,
            enqueued_at=now,
        )
        if not self.is_postgresql:
            return statement
        # In the same round trip; PostgreSQL delivers it when the transaction commits.
        return statement.returning(sa.func.pg_notify(CHANNEL, ""))

    def _due(self, envelope: Envelope) -> Any:
        if envelope.run_at is not None:
            return envelope.run_at
        return self.later(timedelta(seconds=envelope.delay_s)) if envelope.delay_s else self.now()

    def claim(self, request: ClaimRequest) -> sa.Update:
        """Return the statement that takes due jobs, each for one worker."""
        chosen = (
            sa.select(JOB.c.id)
            .where(JOB.c.state == READY, JOB.c.queue.in_(request.queues))
            .where(JOB.c.run_at <= self.now())
            .order_by(*ORDER)
            .limit(request.limit)
        )
        update = JOB.update().values(
            state=RUNNING,
            attempt=JOB.c.attempt + 1,
            worker_id=request.worker_id,
            lease_until=self.later(timedelta(seconds=request.lease_s)),
            started_at=self.now(),
        )
        if not self.is_postgresql:
            return update.where(JOB.c.id.in_(chosen)).returning(*JOB.c)
        # MATERIALIZED, because the planner may else run the locking sub-select once for each row.
        locked = chosen.with_for_update(skip_locked=True).cte("chosen")
        fence = locked.prefix_with("MATERIALIZED", dialect="postgresql")
        return update.where(JOB.c.id == fence.c.id).returning(*JOB.c)

    def next_due(self, queues: Sequence[str]) -> sa.Select[Any, Any]:
        """Return the query for the earliest due time of what waits, and for the time now."""
        waiting = (JOB.c.state == READY, JOB.c.queue.in_(queues))
        return sa.select(sa.func.min(JOB.c.run_at), self.now()).where(*waiting)

    def done(self, worker_id: str, attempt: int, keys: Collection[Any]) -> sa.Update:
        """Return the statement for jobs whose attempt of that number succeeded."""
        return self._held(worker_id, keys, attempt).values(
            state=DONE,
            finished_at=self.now(),
            keep_until=self.later(DONE_KEPT),
            lease_until=None,
        )

    def release(self, worker_id: str, attempt: int, keys: Collection[Any]) -> sa.Update:
        """Return the statement that makes jobs due again as if they had not been claimed."""
        return self._held(worker_id, keys, attempt).values(**self._released())

    def release_strays(self, worker_id: str, known: Collection[Any]) -> sa.Update:
        """Return the statement that does the same for all of a worker's jobs but some."""
        mine = JOB.update().where(JOB.c.state == RUNNING, JOB.c.worker_id == worker_id)
        return mine.where(JOB.c.id.not_in(known)).values(**self._released())

    def postpone(self) -> sa.Update:
        """Return the statement that makes one job due later; for rows of `row` parameters."""
        if self.is_postgresql:
            run_at = sa.func.now() + sa.bindparam("row_delay", type_=sa.Interval())
        else:
            run_at = sa.bindparam("row_delay", type_=JOB.c.run_at.type)
        return self._row().values(
            state=READY,
            run_at=run_at,
            attempt=JOB.c.attempt - sa.bindparam("row_uncounted", type_=sa.SmallInteger()),
            errors=sa.bindparam("row_errors", type_=JOB.c.errors.type),
            worker_id=None,
            lease_until=None,
        )

    def bury(self) -> sa.Update:
        """Return the statement that ends one job as dead; for rows of `row` parameters."""
        return self._row().values(
            state=DEAD,
            finished_at=self.now(),
            keep_until=self.later(DEAD_KEPT),
            errors=sa.bindparam("row_errors", type_=JOB.c.errors.type),
            lease_until=None,
        )

    def row(
        self, worker_id: str | None, attempt: int, key: Any, errors: Sequence[AttemptError]
    ) -> dict[str, Any]:
        """Return the parameters that name one held job, and the errors it has by now."""
        return {
            "row_id": key,
            "row_worker": worker_id,
            "row_attempt": attempt,
            "row_errors": [error.to_json() for error in errors[-ERRORS_KEPT:]] or None,
        }

    def row_later(self, outcome: Outcome) -> dict[str, Any]:
        """Return the parameters that `postpone` has besides."""
        delay = timedelta(seconds=outcome.delay_s)
        return {
            "row_delay": delay if self.is_postgresql else datetime.now(UTC) + delay,
            "row_uncounted": 0 if outcome.counted else 1,
        }

    def renew(self, worker_id: str, keys: Collection[Any], lease_s: float) -> sa.Update:
        """Return the statement that prolongs leases, and tells which are still held."""
        return (
            JOB.update()
            .where(JOB.c.state == RUNNING, JOB.c.worker_id == worker_id, JOB.c.id.in_(keys))
            .values(lease_until=self.later(timedelta(seconds=lease_s)))
            .returning(JOB.c.id, JOB.c.attempt)
        )

    def expired(self) -> sa.Select[Any, Any, Any, Any, Any]:
        """Return the query for jobs whose lease has run out."""
        query = (
            sa.select(JOB.c.id, JOB.c.worker_id, JOB.c.attempt, JOB.c.max_attempts, JOB.c.errors)
            .where(JOB.c.state == RUNNING, JOB.c.lease_until < self.now())
            .limit(EXPIRED_LIMIT)
        )
        return query.with_for_update(skip_locked=True) if self.is_postgresql else query

    def prune(self) -> sa.Delete:
        """Return the statement that deletes ended jobs whose time is over, some at a time."""
        old = (
            sa.select(JOB.c.id)
            .where(JOB.c.state >= DONE, JOB.c.keep_until < self.now())
            .limit(PRUNE_LIMIT)
        )
        if self.is_postgresql:
            old = old.with_for_update(skip_locked=True)
        return JOB.delete().where(JOB.c.id.in_(old))

    def _held(self, worker_id: str, keys: Collection[Any], attempt: int) -> sa.Update:
        """Begin an update of what a worker holds: the fence that a late result does not pass."""
        return JOB.update().where(
            JOB.c.state == RUNNING,
            JOB.c.worker_id == worker_id,
            JOB.c.attempt == attempt,
            JOB.c.id.in_(keys),
        )

    def _row(self) -> sa.Update:
        """Begin an update of one held job, behind the same fence."""
        return JOB.update().where(
            JOB.c.state == RUNNING,
            JOB.c.worker_id == sa.bindparam("row_worker"),
            JOB.c.attempt == sa.bindparam("row_attempt"),
            JOB.c.id == sa.bindparam("row_id"),
        )

    def _released(self) -> dict[str, Any]:
        return {
            "state": READY,
            "attempt": JOB.c.attempt - 1,
            "worker_id": None,
            "lease_until": None,
        }
