"""Pruning: what is deleted when its time is over, some at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from .idiom import Idiom
from .settling import Retention
from .tables import BATCH, CANCELLED, DEAD, DONE, JOB, PACING, SCHEDULE_RUN, UNIQUE_KEY, WORKER

__all__ = ["prune_jobs", "prune_others"]

PRUNE_LIMIT: Final = 1000
RUNS_KEPT: Final = timedelta(days=7)
WORKERS_KEPT: Final = timedelta(days=1)
PACES_KEPT: Final = timedelta(hours=1)


def prune_jobs(idiom: Idiom) -> sa.Executable:
    """Return the statement that deletes ended jobs whose time is over, some at a time.

    The index of ended jobs has them by state and queue: of each it reads what it deletes, and one
    row more.
    """
    lanes, ended = _lanes(), JOB.alias("ended")
    old = (
        sa.select(ended.c.id)
        .where(ended.c.state >= DONE, ended.c.state == lanes.c.state)
        .where(ended.c.queue == lanes.c.queue, ended.c.keep_until < idiom.now())
        .order_by(ended.c.keep_until)
        .limit(PRUNE_LIMIT)
        .correlate(lanes)
    )
    if idiom.is_postgresql:
        some: sa.FromClause = old.with_for_update(skip_locked=True).lateral("old")
        joined = lanes.join(some, sa.true())
    else:  # has no LATERAL
        some = JOB.alias("old")
        joined = lanes.join(some, some.c.id.in_(old))
    chosen = sa.select(some.c.id).select_from(joined).limit(PRUNE_LIMIT)
    return JOB.delete().where(JOB.c.id.in_(chosen)).returning(JOB.c.id)


def _lanes() -> sa.CTE:
    """Return the states and queues of ended jobs, each found by one look into the index.

    Of every state one more row comes last, whose queue is NULL.
    """
    first, further = JOB.alias("first"), JOB.alias("further")
    states = sa.union_all(*(sa.select(state.label("state")) for state in (DONE, DEAD, CANCELLED)))
    each = states.subquery("states")
    begin = sa.select(
        each.c.state,
        sa.select(sa.func.min(first.c.queue))
        .where(first.c.state >= DONE, first.c.state == each.c.state)
        .correlate(each)
        .scalar_subquery()
        .label("queue"),
    )
    lanes = begin.cte("lanes", recursive=True)
    then = (
        sa.select(sa.func.min(further.c.queue))
        .where(further.c.state >= DONE, further.c.state == lanes.c.state)
        .where(further.c.queue > lanes.c.queue)
        .correlate(lanes)
        .scalar_subquery()
    )
    return lanes.union_all(sa.select(lanes.c.state, then).where(lanes.c.queue.is_not(None)))


def prune_others(idiom: Idiom, kept: Retention) -> tuple[sa.Executable, ...]:
    """Return the statements that delete all else that is old, one of which is enough at a time."""
    batches_kept = timedelta(seconds=max(kept.done_s, kept.dead_s))
    return (
        _some(idiom, UNIQUE_KEY.c.key, UNIQUE_KEY.c.until < idiom.now()),
        _some(idiom, BATCH.c.uid, BATCH.c.finished_at < idiom.later(-batches_kept)),
        _some(idiom, PACING.c.key, PACING.c.next_at < idiom.later(-PACES_KEPT)),
        _some(idiom, WORKER.c.worker_id, WORKER.c.beat_at < idiom.later(-WORKERS_KEPT)),
        _runs(idiom),
    )


def _runs(idiom: Idiom) -> sa.Executable:
    """Return the statement for runs of schedules; the latest of each says where it goes on."""
    later = SCHEDULE_RUN.alias("later")
    old = (
        sa.select(SCHEDULE_RUN.c.schedule, SCHEDULE_RUN.c.due_at)
        .where(SCHEDULE_RUN.c.entered_at < idiom.later(-RUNS_KEPT))
        .where(
            sa.exists().where(
                later.c.schedule == SCHEDULE_RUN.c.schedule,
                later.c.due_at > SCHEDULE_RUN.c.due_at,
            )
        )
        .limit(PRUNE_LIMIT)
    )
    key = sa.tuple_(SCHEDULE_RUN.c.schedule, SCHEDULE_RUN.c.due_at)
    return SCHEDULE_RUN.delete().where(key.in_(old)).returning(SCHEDULE_RUN.c.due_at)


def _some(idiom: Idiom, key: Any, *conditions: sa.ColumnElement[bool]) -> sa.Executable:
    old = sa.select(key).where(*conditions).limit(PRUNE_LIMIT)
    if idiom.is_postgresql:
        old = old.with_for_update(skip_locked=True)
    return sa.delete(key.table).where(key.in_(old)).returning(key)
