"""Schedules: how the due times of schedules are entered, each once."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ....tasks.ledger import ScheduledRun
from .idiom import Bound, Idiom
from .tables import SCHEDULE_RUN

__all__ = ["enter_run", "forget_uid", "latest_runs"]

_NAMES = (sa.column("name", sa.Text()),)


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


def latest_runs(idiom: Idiom, schedules: Iterable[str]) -> Bound:
    """Return the query for the last run of each of some schedules, each by one look."""
    rows = [{"name": name} for name in schedules]
    return idiom.built(_latest_runs), idiom.rows(_NAMES, rows)


def _latest_runs(idiom: Idiom) -> sa.Executable:
    given, later = idiom.given(_NAMES), SCHEDULE_RUN.alias("later")
    latest = (
        sa.select(sa.func.max(later.c.due_at))
        .where(later.c.schedule == given.c.name)
        .correlate(given)
        .scalar_subquery()
    )
    its = (SCHEDULE_RUN.c.schedule == given.c.name) & (SCHEDULE_RUN.c.due_at == latest)
    return sa.select(*SCHEDULE_RUN.c).select_from(given.join(SCHEDULE_RUN, its))
