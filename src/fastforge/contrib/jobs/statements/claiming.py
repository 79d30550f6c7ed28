"""Claiming: how due jobs are taken, each by one worker.

The jobs of one queue and one priority are a lane. Each lane stands in the index in the order of
its due times, so that a claim reads as many rows as it takes, whatever waits behind them or is
due later.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ....tasks.backend import ClaimRequest
from .idiom import Bound, Idiom
from .tables import ATTEMPT, JOB, PAUSED_QUEUE, READY, RUNNING

__all__ = ["claim", "next_due"]

_QUEUES = (JOB.c.queue,)
_CLAIMED = (*ATTEMPT, JOB.c.paced)


def claim(idiom: Idiom, request: ClaimRequest) -> Bound:
    """Return the statement that takes due jobs, each for one worker."""
    return idiom.built(_claim), {
        "wanted": request.limit,
        "worker": request.worker_id,
        "lease": idiom.in_s(request.lease_s),
        **idiom.rows(_QUEUES, [{"queue": queue} for queue in request.queues]),
    }


def next_due(idiom: Idiom, request: ClaimRequest) -> Bound:
    """Return the query for the earliest due time of what waits, and for the time now."""
    queues = [{"queue": queue} for queue in request.queues]
    return idiom.built(_next_due), idiom.rows(_QUEUES, queues)


def _claim(idiom: Idiom) -> sa.Executable:
    update = JOB.update().values(
        state=RUNNING,
        attempt=JOB.c.attempt + 1,
        worker_id=sa.bindparam("worker"),
        lease_until=idiom.moment_in("lease"),
        started_at=idiom.now(),
    )
    due = _due_of_lanes(idiom)
    if not idiom.is_postgresql:
        return update.where(JOB.c.id.in_(due)).returning(*_CLAIMED)
    # MATERIALIZED, because the planner may else run the locking sub-select once for each row.
    fence = due.cte("chosen").prefix_with("MATERIALIZED", dialect="postgresql")
    return update.where(JOB.c.id == fence.c.id, _need_not_last()).returning(*_CLAIMED)


def _need_not_last() -> sa.ColumnElement[bool]:
    """Return what is always true, and lets the transaction commit without waiting for the disk.

    Where PostgreSQL itself is killed, claims of the last moment may not have been: those jobs are
    due, as they were. What a worker says of their ends is refused, and they run again.
    """
    off = sa.func.set_config("synchronous_commit", "off", sa.true())
    return sa.select(off).scalar_subquery().is_not(None)


def _next_due(idiom: Idiom) -> sa.Executable:
    lanes, waiting = _lanes(idiom), JOB.alias("waiting")
    earliest = (
        sa.select(sa.func.min(waiting.c.run_at))
        .where(*_in_lane(waiting, lanes))
        .correlate(lanes)
        .scalar_subquery()
    )
    return sa.select(sa.func.min(earliest, type_=JOB.c.run_at.type), idiom.now()).select_from(lanes)


def _due_of_lanes(idiom: Idiom) -> sa.Select[Any]:
    """Return the query for the ids of the first due jobs of all lanes together."""
    lanes, waiting = _lanes(idiom), JOB.alias("waiting")
    wanted = sa.bindparam("wanted", type_=sa.Integer())
    first = (
        sa.select(waiting.c.id, waiting.c.priority, waiting.c.run_at)
        .where(*_in_lane(waiting, lanes), waiting.c.run_at <= idiom.now())
        .order_by(waiting.c.run_at, waiting.c.id)
        .limit(wanted)
        .correlate(lanes)
    )
    if idiom.is_postgresql:
        due: sa.FromClause = first.with_for_update(skip_locked=True).lateral("due")
        joined = lanes.join(due, sa.true())
    else:  # has no LATERAL
        due = JOB.alias("due")
        joined = lanes.join(due, due.c.id.in_(first.with_only_columns(waiting.c.id)))
    order = (due.c.priority, due.c.run_at, due.c.id)
    return sa.select(due.c.id).select_from(joined).order_by(*order).limit(wanted)


def _lanes(idiom: Idiom) -> sa.CTE:
    """Return the lanes of the wanted queues, each found by one look into the index.

    Of every queue one more row comes last, whose priority is NULL.
    """
    wanted = idiom.given(_QUEUES)
    first, further = JOB.alias("first"), JOB.alias("further")
    begin = sa.select(
        wanted.c.queue,
        sa.select(sa.func.min(first.c.priority))
        .where(first.c.state == READY, first.c.queue == wanted.c.queue)
        .correlate(wanted)
        .scalar_subquery()
        .label("priority"),
    ).where(wanted.c.queue.not_in(sa.select(PAUSED_QUEUE.c.queue)))
    lanes = begin.cte("lanes", recursive=True)
    then = (
        sa.select(sa.func.min(further.c.priority))
        .where(further.c.state == READY, further.c.queue == lanes.c.queue)
        .where(further.c.priority > lanes.c.priority)
        .correlate(lanes)
        .scalar_subquery()
    )
    return lanes.union_all(sa.select(lanes.c.queue, then).where(lanes.c.priority.is_not(None)))


def _in_lane(waiting: Any, lanes: sa.CTE) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        waiting.c.state == READY,
        waiting.c.queue == lanes.c.queue,
        waiting.c.priority == lanes.c.priority,
    )
