"""Settling: how the ends of attempts are written, all of a batch by one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

import sqlalchemy as sa

from ....tasks.backend import Settlement
from ....tasks.outcome import ERRORS_KEPT, AttemptError, JobState, Outcome, Verdict
from .idiom import Bound, Columns, Idiom
from .tables import BATCH, CANCELLED, DONE, JOB, READY, RUNNING, UNIQUE_KEY

__all__ = [
    "ENDED_COLUMNS",
    "Ending",
    "Retention",
    "count_in_batch",
    "forget_then",
    "release_keys",
    "release_strays",
    "settle",
]

ENDED_COLUMNS: Final = (
    *(JOB.c.id, JOB.c.uid, JOB.c.state, JOB.c.batch, JOB.c.unique_key),
    *(JOB.c.slots_key, JOB.c.slots_limit),
)
"""What has to be known of a job that does not run any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long ended jobs are kept, in seconds."""

    done_s: float = 86_400
    dead_s: float = 30 * 86_400

    def of(self, state: JobState) -> float:
        """Return for how long a job is kept that has ended in a state."""
        return self.dead_s if state is JobState.DEAD else self.done_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one attempt ended, and what fences it: its number, and who held it."""

    key: Any
    attempt: int
    worker_id: str | None
    outcome: Outcome
    errors: Sequence[AttemptError] = ()

    @classmethod
    def of(cls, settlement: Settlement, worker_id: str | None) -> Self:
        """Return how an attempt ended that a worker held; its error is the last of the job's."""
        claim, outcome = settlement.claim, settlement.outcome
        errors = (*claim.errors, outcome.error) if outcome.error else claim.errors
        return cls(
            key=claim.key,
            attempt=claim.attempt,
            worker_id=worker_id,
            outcome=outcome,
            errors=errors,
        )


def settle(idiom: Idiom, endings: Iterable[Ending], kept: Retention, *, told: bool) -> Bound:
    """Return the statement that records how attempts ended.

    What the worker does not hold any more in that attempt stays as it is.

    Args:
        endings: How they ended.
        kept: How long ended jobs are kept.
        told: Whether the rows that were written are returned.
    """
    # In one order, as whoever else changes many rows: no two wait for each other.
    ordered = sorted(endings, key=lambda ending: ending.key)
    kept_for = {state: idiom.in_s(kept.of(state)) for state in JobState}
    rows = [_row(idiom, ending, kept_for) for ending in ordered]
    statement = idiom.built(_settle_and_tell if told else _settle)
    return statement, idiom.rows(idiom.built(_columns), rows)


def _settle_and_tell(idiom: Idiom) -> sa.Executable:
    return _settle(idiom).returning(*ENDED_COLUMNS)


def _settle(idiom: Idiom) -> sa.Update:
    given = idiom.given(idiom.built(_columns))
    # Whom somebody wants cancelled is not tried again.
    state = sa.case((JOB.c.cancelling & (given.c.state == READY), CANCELLED), else_=given.c.state)
    has_ended = state >= DONE
    return (
        JOB.update()
        .where(
            JOB.c.id == given.c.id,
            JOB.c.state == RUNNING,
            JOB.c.worker_id == given.c.worker_id,
            JOB.c.attempt == given.c.attempt,
        )
        .values(
            state=state,
            attempt=JOB.c.attempt - given.c.uncounted,
            run_at=sa.func.coalesce(idiom.moment(given.c.due_in), JOB.c.run_at),
            errors=given.c.errors,
            result=given.c.result,
            finished_at=sa.case((has_ended, idiom.now())),
            keep_until=sa.case((has_ended, idiom.moment(given.c.kept_for))),
            worker_id=sa.case((has_ended, JOB.c.worker_id)),
            lease_until=None,
            cancelling=sa.false(),
            paced=sa.false(),
        )
    )


def _columns(idiom: Idiom) -> Columns:
    return (
        *(JOB.c.id, JOB.c.attempt, JOB.c.worker_id, JOB.c.state, JOB.c.errors, JOB.c.result),
        sa.column("uncounted", sa.SmallInteger()),
        idiom.column_in_s("due_in"),
        idiom.column_in_s("kept_for"),
    )


def _row(idiom: Idiom, ending: Ending, kept_for: Mapping[JobState, Any]) -> dict[str, Any]:
    outcome = ending.outcome
    # Who was interrupted keeps the place in the order that it had.
    is_later = outcome.verdict in (Verdict.RETRY, Verdict.PUT_BACK)
    state = outcome.state
    errors = [error.to_json() for error in ending.errors[-ERRORS_KEPT:]]
    return {
        "id": ending.key,
        "attempt": ending.attempt,
        "worker_id": ending.worker_id,
        "state": state.value,
        "errors": errors or None,
        "result": outcome.result,
        "uncounted": 0 if outcome.counted else 1,
        "due_in": idiom.in_s(outcome.delay_s) if is_later else None,
        "kept_for": kept_for[state],
    }


def release_strays(
    idiom: Idiom, worker_id: str, known: Collection[Any], kept: Retention
) -> sa.Executable:
    """Return the statement that gives back, uncounted, all of a worker's jobs but some."""
    wanted = JOB.c.cancelling
    return (
        JOB.update()
        .where(JOB.c.state == RUNNING, JOB.c.worker_id == worker_id)
        .where(sa.not_(idiom.among(JOB.c.id, known)))
        .values(
            state=sa.case((wanted, CANCELLED), else_=READY),
            attempt=JOB.c.attempt - 1,
            finished_at=sa.case((wanted, idiom.now())),
            keep_until=sa.case((wanted, idiom.later(timedelta(seconds=kept.done_s)))),
            worker_id=None,
            lease_until=None,
            cancelling=sa.false(),
            paced=sa.false(),
        )
        .returning(*ENDED_COLUMNS)
    )


def release_keys(idiom: Idiom, uids: Collection[str]) -> sa.Executable:
    """Return the statement that frees the unique keys that ended jobs took until their end."""
    return UNIQUE_KEY.delete().where(
        idiom.among(UNIQUE_KEY.c.uid, uids), UNIQUE_KEY.c.until.is_(None)
    )


def count_in_batch(idiom: Idiom, uid: str, *, ended: int, failed: int) -> sa.Executable:
    """Return the statement that counts ended jobs of a batch, and tells how many are left."""
    pending = BATCH.c.pending - ended
    return (
        BATCH.update()
        .where(BATCH.c.uid == uid)
        .values(
            pending=pending,
            failed=BATCH.c.failed + failed,
            finished_at=sa.case((pending <= 0, idiom.now())),
        )
        .returning(BATCH.c.pending, BATCH.c.then)
    )


def forget_then(uid: str) -> sa.Executable:
    """Return the statement after which nothing is enqueued any more at the end of a batch."""
    return BATCH.update().where(BATCH.c.uid == uid).values(then=None)
