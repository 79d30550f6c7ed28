"""Asking: what is told of jobs, queues, batches and workers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from ....tasks.outcome import JobState
from ....tasks.records import JobQuery
from .idiom import Idiom
from .settling import Retention
from .tables import (
    BATCH,
    DONE,
    JOB,
    PAUSED_QUEUE,
    WORKER,
    is_false,
    is_true,
    literal_state,
)

__all__ = [
    "all_by_queue",
    "batch",
    "count",
    "done_lately",
    "ended_by_queue",
    "find",
    "keys",
    "paused",
    "workers",
]

_Pair = tuple[Any, Any]
MINUTE: Final = timedelta(minutes=1)
SLACK: Final = timedelta(seconds=10)
"""How far apart the moments of one statement may be."""
WORKERS_SHOWN: Final = timedelta(days=1)


def find(idiom: Idiom, query: JobQuery) -> sa.Executable:
    """Return the query for the jobs that are meant, the newest first."""
    newest = sa.select(*JOB.c).order_by(JOB.c.id.desc()).limit(query.limit)
    if _is_of_few(query):
        return newest.where(JOB.c.id.in_(_by_state(idiom, query, query.states)))
    return newest.where(*_meant(idiom, query), *_in_one_of(query.states))


def count(idiom: Idiom, query: JobQuery) -> sa.Executable:
    """Return the query for how many jobs are meant, whatever `limit` says."""
    number = sa.select(sa.func.count())
    if query.states:
        chosen = _by_state(idiom, replace(query, limit=None), query.states)
        return number.select_from(chosen.subquery())
    return number.select_from(JOB).where(*_meant(idiom, query))


def keys(idiom: Idiom, query: JobQuery, states: Iterable[JobState]) -> sa.Executable:
    """Return the query for the keys of those of the meant jobs that are in one of some states."""
    wanted = [each for each in states if not query.states or each in query.states]
    chosen = _by_state(idiom, query, wanted).subquery()
    return sa.select(chosen.c.id).order_by(chosen.c.id.desc()).limit(query.limit)


def ended_by_queue() -> sa.Select[Any, Any, int]:
    """Return the query for how many jobs have ended, by queue and state: it reads one index."""
    by = (JOB.c.state, JOB.c.queue)
    return sa.select(*by, sa.func.count().label("number")).where(JOB.c.state >= DONE).group_by(*by)


def all_by_queue(idiom: Idiom) -> sa.Executable:
    """Return the query for how many jobs there are, by queue and state, at one moment.

    Of those that wait it also tells how many are due, and since when; of held ones in two rows.
    """
    moment, is_due = JOB.c.run_at.type, JOB.c.run_at <= idiom.now()
    none: _Pair = (sa.literal_column("0").label("due"), sa.cast(sa.null(), moment).label("oldest"))
    waiting: _Pair = (sa.func.count().filter(is_due), sa.func.min(JOB.c.run_at).filter(is_due))
    begun = ((JobState.RUNNING, none), (JobState.HELD, none))
    others = (
        sa.select(literal_state(state), JOB.c.queue, sa.func.count(), *more)
        .where(where)
        .group_by(JOB.c.queue)
        for state, more in ((JobState.READY, waiting), *begun)
        for where in _of(state)
    )
    # The first names the columns.
    all_ = sa.union_all(ended_by_queue().add_columns(*none), *others).subquery("counted").c
    oldest = sa.type_coerce(all_.oldest, moment).label("oldest")
    return sa.select(
        all_.state, all_.queue, all_.number, all_.due, oldest, idiom.now().label("now")
    )


def done_lately(idiom: Idiom, kept: Retention, queues: Iterable[str]) -> sa.Executable:
    """Return the query for how many jobs have ended well in the last minute, by queue.

    What has ended so lately is kept for about as long as anything is that ends now: by that they
    are found, whatever else has ended.
    """
    kept_for = timedelta(seconds=kept.done_s)
    return (
        sa.select(JOB.c.queue, sa.func.count().label("number"))
        .where(JOB.c.state >= DONE, JOB.c.state == DONE, idiom.among(JOB.c.queue, queues))
        .where(
            JOB.c.keep_until > idiom.later(kept_for - MINUTE - SLACK),
            JOB.c.keep_until < idiom.later(kept_for + SLACK),
            JOB.c.finished_at > idiom.later(-MINUTE),
        )
        .group_by(JOB.c.queue)
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


def _is_of_few(query: JobQuery) -> bool:
    """Return whether jobs are better looked for by their states than the newest first.

    Most of a table is DONE, and the newest of them are found at once.
    """
    return bool(query.states) and JobState.DONE not in query.states


def _by_state(
    idiom: Idiom, query: JobQuery, states: Iterable[JobState]
) -> sa.CompoundSelect[Any] | sa.Select[Any]:
    """Return the query for the ids of the newest of the meant jobs in each of some states."""
    meant = _meant(idiom, query)
    found = [sa.select(JOB.c.id).where(*meant, each) for state in states for each in _of(state)]
    if not found:
        return sa.select(JOB.c.id).where(sa.false())
    if query.limit is not None:
        # By no column: SQLite would look for the few among all, the newest first.
        newest = [each.order_by((JOB.c.id + 0).desc()).limit(query.limit) for each in found]
        found = [sa.select(each.subquery().c.id) for each in newest]
    return sa.union_all(*found)


def _in_one_of(states: Collection[JobState]) -> list[sa.ColumnElement[bool]]:
    return [JOB.c.state.in_([literal_state(state) for state in states])] if states else []


def _of(state: JobState) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of a state as its partial indexes have them, word for word."""
    is_in = JOB.c.state == literal_state(state)
    if state >= JobState.DONE:
        return [(JOB.c.state >= DONE) & is_in]
    if state is JobState.HELD:
        return [is_false(JOB.c.paced) & is_in, is_true(JOB.c.paced) & is_in]
    return [is_in]


def _meant(idiom: Idiom, query: JobQuery) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that stand for a query, its states apart."""
    found: list[sa.ColumnElement[bool]] = []
    if query.uids:
        found.append(idiom.among(JOB.c.uid, _known(query.uids)))
    if query.uid_prefix:
        found.append(_begins_with(query.uid_prefix))
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
