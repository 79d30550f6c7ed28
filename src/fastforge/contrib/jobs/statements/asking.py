"""Asking: what is told of jobs, queues, batches and workers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from ....tasks.outcome import JobState
from ....tasks.records import JobQuery
from .idiom import Idiom
from .tables import BATCH, JOB, PAUSED_QUEUE, WORKER, literal_state

__all__ = ["batch", "count", "find", "keys", "paused", "stats", "workers"]

MINUTE: Final = timedelta(minutes=1)
WORKERS_SHOWN: Final = timedelta(days=1)


def find(idiom: Idiom, query: JobQuery) -> sa.Executable:
    """Return the query for the jobs that are meant, the newest first."""
    return (
        sa.select(*JOB.c).where(*_meant(idiom, query)).order_by(JOB.c.id.desc()).limit(query.limit)
    )


def count(idiom: Idiom, query: JobQuery) -> sa.Executable:
    """Return the query for how many jobs are meant, whatever `limit` says."""
    return sa.select(sa.func.count()).select_from(JOB).where(*_meant(idiom, query))


def keys(idiom: Idiom, query: JobQuery, states: Iterable[JobState]) -> sa.Executable:
    """Return the query for the keys of those of the meant jobs that are in one of some states."""
    conditions = (*_meant(idiom, query), JOB.c.state.in_([literal_state(each) for each in states]))
    return sa.select(JOB.c.id).where(*conditions).order_by(JOB.c.id.desc()).limit(query.limit)


def stats(idiom: Idiom) -> sa.Executable:
    """Return the query for what waits and runs, by queue."""
    is_due = JOB.c.run_at <= idiom.now()
    is_ready = JOB.c.state == literal_state(JobState.READY)
    is_done = JOB.c.state == literal_state(JobState.DONE)
    earliest = sa.func.min(JOB.c.run_at).filter(is_ready, is_due)
    return (
        sa.select(
            JOB.c.queue,
            _counted(is_ready, is_due).label("ready"),
            _counted(is_ready, sa.not_(is_due)).label("scheduled"),
            *(
                _counted(JOB.c.state == literal_state(state)).label(state.name.lower())
                for state in (JobState.HELD, JobState.RUNNING, *_ENDED)
            ),
            _counted(is_done, JOB.c.finished_at > idiom.later(-MINUTE)).label("done_a_minute"),
            sa.type_coerce(earliest, JOB.c.run_at.type).label("oldest"),
            idiom.now().label("now"),
        )
        .group_by(JOB.c.queue)
        .order_by(JOB.c.queue)
    )


def paused() -> sa.Executable:
    """Return the query for the queues that are paused."""
    return sa.select(PAUSED_QUEUE.c.queue)


def batch(idiom: Idiom, uid: str) -> sa.Executable:
    """Return the query for a batch."""
    return BATCH.select().where(idiom.among(BATCH.c.uid, _known((uid,))))


def workers(idiom: Idiom) -> sa.Executable:
    """Return the query for the workers that have been heard of lately, and for the time now."""
    query = sa.select(*WORKER.c, idiom.now().label("now")).order_by(WORKER.c.worker_id)
    return query.where(WORKER.c.beat_at > idiom.later(-WORKERS_SHOWN))


_ENDED: Final = (JobState.DONE, JobState.DEAD, JobState.CANCELLED)


def _counted(*conditions: sa.ColumnElement[bool]) -> Any:
    return sa.func.count().filter(*conditions)


def _meant(idiom: Idiom, query: JobQuery) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that stand for a query."""
    found: list[sa.ColumnElement[bool]] = []
    if query.uids:
        found.append(idiom.among(JOB.c.uid, _known(query.uids)))
    if query.uid_prefix:
        found.append(_begins_with(query.uid_prefix))
    if query.states:
        found.append(JOB.c.state.in_([literal_state(state) for state in query.states]))
    if query.tasks:
        found.append(idiom.among(JOB.c.task, query.tasks))
    if query.queues:
        found.append(idiom.among(JOB.c.queue, query.queues))
    if query.batch is not None:
        found.append(idiom.among(JOB.c.batch, _known((query.batch,))))
    if query.since is not None:
        found.append(JOB.c.enqueued_at >= query.since)
    if query.until is not None:
        found.append(JOB.c.enqueued_at < query.until)
    return found


def _begins_with(prefix: str) -> sa.ColumnElement[bool]:
    """Return the condition that an id begins so, as a range, for which there is an index."""
    digits = prefix.replace("-", "")
    bounds = _known((digits.ljust(32, "0"), digits.ljust(32, "f")))
    if not all(bound.startswith(prefix) for bound in bounds) or not bounds:
        return sa.false()
    return JOB.c.uid.between(bounds[0], bounds[1])


def _known(uids: Iterable[str]) -> list[str]:
    """Return those that can be the id of a job at all; a typing mistake is no error here."""
    known = []
    for uid in uids:
        try:
            known.append(str(UUID(uid)))
        except ValueError:
            continue
    return known
