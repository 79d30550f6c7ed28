"""Desk: how jobs are retried, cancelled and discarded from outside, and queues paused."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa

from ....tasks.outcome import JobState
from .idiom import Bound, Idiom
from .settling import ENDED_COLUMNS, Retention
from .tables import CANCELLED, JOB, PAUSED_QUEUE, READY, RUNNING, UNIQUE_KEY, literal_state

__all__ = [
    "CANCELLABLE",
    "DISCARDABLE",
    "RETRIABLE",
    "cancel",
    "discard",
    "forget_keys",
    "pause",
    "resume",
    "retake_keys",
    "retry",
]

RETRIABLE: Final = (JobState.DEAD, JobState.CANCELLED)
CANCELLABLE: Final = (JobState.FORWARDING, JobState.HELD, JobState.READY, JobState.RUNNING)
DISCARDABLE: Final = tuple(state for state in JobState if state is not JobState.RUNNING)


def retry(idiom: Idiom, keys: Collection[Any]) -> Bound:
    """Return the statement that makes ended jobs due now, with all their attempts."""
    return idiom.built(_retry), _keys(idiom, keys)


def _retry(idiom: Idiom) -> sa.Executable:
    given = idiom.given((JOB.c.id,))
    return (
        JOB.update()
        .where(JOB.c.id == given.c.id, _is_in(RETRIABLE))
        .values(
            state=READY,
            attempt=0,
            run_at=idiom.now(),
            started_at=None,
            finished_at=None,
            keep_until=None,
            worker_id=None,
            progress=None,
            result=None,
            cancelling=sa.false(),
            paced=sa.false(),
        )
        .returning(*ENDED_COLUMNS)
    )


def cancel(idiom: Idiom, keys: Collection[Any], kept: Retention) -> Bound:
    """Return the statement that cancels what waits, and asks for the cancelling of what runs."""
    return idiom.built(_cancel), {"kept": idiom.in_s(kept.done_s), **_keys(idiom, keys)}


def _cancel(idiom: Idiom) -> sa.Executable:
    given = idiom.given((JOB.c.id,))
    runs = JOB.c.state == RUNNING
    return (
        JOB.update()
        .where(JOB.c.id == given.c.id, _is_in(CANCELLABLE))
        .values(
            state=sa.case((runs, RUNNING), else_=CANCELLED),
            cancelling=runs,
            finished_at=sa.case((runs, None), else_=idiom.now()),
            keep_until=sa.case((runs, None), else_=idiom.moment_in("kept")),
        )
        .returning(*ENDED_COLUMNS)
    )


def discard(idiom: Idiom, keys: Collection[Any]) -> Bound:
    """Return the statement that deletes jobs that do not run, and tells what they were."""
    return idiom.built(_discard), _keys(idiom, keys)


def _discard(idiom: Idiom) -> sa.Executable:
    chosen = sa.select(idiom.given((JOB.c.id,)).c.id)
    return JOB.delete().where(JOB.c.id.in_(chosen), _is_in(DISCARDABLE)).returning(*ENDED_COLUMNS)


def forget_keys(idiom: Idiom, uids: Collection[str]) -> sa.Executable:
    """Return the statement that frees the unique keys of jobs, whatever their period."""
    return UNIQUE_KEY.delete().where(idiom.among(UNIQUE_KEY.c.uid, uids))


def retake_keys(idiom: Idiom, takers: dict[str, str]) -> Bound:
    """Return the statement by which retried jobs take their unique keys again, where free.

    Args:
        takers: By its key, the job.
    """
    rows = [{"key": key, "uid": takers[key]} for key in sorted(takers)]
    return idiom.built(_retake_keys), idiom.rows((UNIQUE_KEY.c.key, UNIQUE_KEY.c.uid), rows)


def _retake_keys(idiom: Idiom) -> sa.Executable:
    given = idiom.given((UNIQUE_KEY.c.key, UNIQUE_KEY.c.uid))
    query = sa.select(given.c.key, given.c.uid).where(sa.true())
    return idiom.insert(UNIQUE_KEY).from_select(["key", "uid"], query).on_conflict_do_nothing()


def pause(idiom: Idiom, queue: str) -> sa.Executable:
    """Return the statement that lets no worker take jobs from a queue."""
    statement = idiom.insert(PAUSED_QUEUE).values(queue=queue, paused_at=idiom.now())
    return statement.on_conflict_do_nothing()


def resume(queue: str) -> sa.Executable:
    """Return the statement that lets workers take jobs from a queue again."""
    return PAUSED_QUEUE.delete().where(PAUSED_QUEUE.c.queue == queue)


def _is_in(states: Collection[JobState]) -> sa.ColumnElement[bool]:
    return JOB.c.state.in_([literal_state(state) for state in states])


def _keys(idiom: Idiom, keys: Collection[Any]) -> dict[str, Any]:
    return idiom.rows((JOB.c.id,), [{"id": key} for key in sorted(keys)])
