"""Pruning: what is deleted when its time is over, some at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from .idiom import Idiom
from .settling import Retention
from .tables import BATCH, DONE, JOB, PACING, SCHEDULE_RUN, UNIQUE_KEY, WORKER

__all__ = ["prune_jobs", "prune_others"]

PRUNE_LIMIT: Final = 1000
RUNS_KEPT: Final = timedelta(days=7)
WORKERS_KEPT: Final = timedelta(days=1)
PACES_KEPT: Final = timedelta(hours=1)


def prune_jobs(idiom: Idiom) -> sa.Executable:
    """Return the statement that deletes ended jobs whose time is over, some at a time."""
    return _some(idiom, JOB.c.id, JOB.c.state >= DONE, JOB.c.keep_until < idiom.now())


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
    return SCHEDULE_RUN.delete().where(key.in_(old))


def _some(idiom: Idiom, key: Any, *conditions: sa.ColumnElement[bool]) -> sa.Executable:
    old = sa.select(key).where(*conditions).limit(PRUNE_LIMIT)
    if idiom.is_postgresql:
        old = old.with_for_update(skip_locked=True)
    return sa.delete(key.table).where(key.in_(old))
