"""Schedules: how the due times of schedules are entered, each once."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from ....tasks.ledger import ScheduledRun
from .idiom import Idiom
from .tables import SCHEDULE_RUN

__all__ = ["enter_run", "forget_uid", "latest_runs"]


def enter_run(idiom: Idiom, run: ScheduledRun) -> sa.Executable:
    """Return the statement that enters a due time, and tells whether it did.

    One that another transaction has just entered is waited for.
    """
    statement = idiom.insert(SCHEDULE_RUN).values(
        schedule=run.schedule, due_at=run.due_at, uid=run.uid, entered_at=idiom.now()
    )
    return statement.on_conflict_do_nothing().returning(SCHEDULE_RUN.c.schedule)


def forget_uid(run: ScheduledRun) -> sa.Executable:
    """Return the statement that notes that a due time became no job."""
    its = (SCHEDULE_RUN.c.schedule == run.schedule, SCHEDULE_RUN.c.due_at == run.due_at)
    return SCHEDULE_RUN.update().where(*its).values(uid=None)


def latest_runs(idiom: Idiom, schedules: Collection[str]) -> sa.Executable:
    """Return the query for the last run of each of some schedules."""
    later = SCHEDULE_RUN.alias("later")
    latest = (
        sa.select(sa.func.max(later.c.due_at))
        .where(later.c.schedule == SCHEDULE_RUN.c.schedule)
        .correlate(SCHEDULE_RUN)
        .scalar_subquery()
    )
    query = SCHEDULE_RUN.select().where(idiom.among(SCHEDULE_RUN.c.schedule, schedules))
    return query.where(SCHEDULE_RUN.c.due_at == latest)
