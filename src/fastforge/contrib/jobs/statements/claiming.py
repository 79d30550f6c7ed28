"""Claiming: how due jobs are taken, each by one worker."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

import sqlalchemy as sa

from ....tasks.backend import ClaimRequest
from .idiom import Idiom
from .tables import JOB, ORDER, PAUSED_QUEUE, READY, RUNNING

__all__ = ["claim", "next_due"]


def claim(idiom: Idiom, request: ClaimRequest) -> sa.Executable:
    """Return the statement that takes due jobs, each for one worker."""
    chosen = (
        sa.select(JOB.c.id)
        .where(*_waiting(request.queues))
        .where(JOB.c.run_at <= idiom.now())
        .order_by(*ORDER)
        .limit(request.limit)
    )
    update = JOB.update().values(
        state=RUNNING,
        attempt=JOB.c.attempt + 1,
        worker_id=request.worker_id,
        lease_until=idiom.later(timedelta(seconds=request.lease_s)),
        started_at=idiom.now(),
    )
    if not idiom.is_postgresql:
        return update.where(JOB.c.id.in_(chosen)).returning(*JOB.c)
    # MATERIALIZED, because the planner may else run the locking sub-select once for each row.
    locked = chosen.with_for_update(skip_locked=True).cte("chosen")
    fence = locked.prefix_with("MATERIALIZED", dialect="postgresql")
    return update.where(JOB.c.id == fence.c.id).returning(*JOB.c)


def next_due(idiom: Idiom, queues: Sequence[str]) -> sa.Executable:
    """Return the query for the earliest due time of what waits, and for the time now."""
    return sa.select(sa.func.min(JOB.c.run_at), idiom.now()).where(*_waiting(queues))


def _waiting(queues: Collection[str]) -> tuple[sa.ColumnElement[bool], ...]:
    paused = sa.select(PAUSED_QUEUE.c.queue)
    return JOB.c.state == READY, JOB.c.queue.in_(queues), JOB.c.queue.not_in(paused)
