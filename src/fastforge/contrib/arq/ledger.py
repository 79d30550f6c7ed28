"""Ledger: which runs of the schedules have been enqueued, in the project's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ...tasks.clock import Clock
from ...tasks.envelope import Envelope
from ...tasks.ledger import ScheduledRun
from ..jobs.outbox import Outbox
from ..jobs.statements.tables import SCHEDULE_RUN as RUN
from .forwarding import Forwarding

__all__ = ["ArqLedger"]

KEPT: Final = timedelta(days=7)


class ArqLedger:
    """Remembers the due times of schedules in a table: its key lets each be entered once.

    Args:
        outbox: The rows on their way to Redis.
        forwarding: Brings them there.
        clock: Tells the time.
    """

    def __init__(self, outbox: Outbox, forwarding: Forwarding, clock: Clock) -> None:
        self._clock = clock
        self._outbox = outbox
        self._forwarding = forwarding

    async def latest(self, schedules: Sequence[str], /) -> Mapping[str, ScheduledRun]:
        """Return the last run that was entered of each schedule that has one."""
        named = RUN.c.schedule.in_(schedules)
        last = sa.select(RUN.c.schedule, sa.func.max(RUN.c.due_at).label("due_at"))
        lasts = last.where(named).group_by(RUN.c.schedule).subquery()
        same = (RUN.c.schedule == lasts.c.schedule) & (RUN.c.due_at == lasts.c.due_at)
        async with self._outbox.transaction() as connection:
            rows = (await connection.execute(RUN.select().join(lasts, same))).all()
        return {
            row.schedule: ScheduledRun(schedule=row.schedule, due_at=row.due_at, uid=row.uid)
            for row in rows
        }

    async def enter(self, run: ScheduledRun, envelope: Envelope | None, /) -> bool:
        """Enter a due time and enqueue its job in one transaction; then forward it."""
        async with self._outbox.transaction() as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            uid = run.uid
            values = {
                "schedule": run.schedule,
                "due_at": run.due_at,
                "uid": uid,
                "entered_at": self._clock.now(),
            }
            statement = insert(RUN).values(values).on_conflict_do_nothing().returning(RUN.c.due_at)
            if (await connection.execute(statement)).first() is None:
                return False
            if envelope is not None:
                (result,) = await self._outbox.write(connection, [envelope])
                if not result.is_new:
                    mine = (
                        RUN.c.schedule == run.schedule,
                        RUN.c.due_at == run.due_at,
                    )
                    await connection.execute(RUN.update().where(*mine).values(uid=None))
                    envelope = None
        if envelope is not None:
            await self._forwarding.forward_these([envelope])
        return True

    async def prune(self) -> None:
        """Forget runs that nobody asks for any more; the last one of each schedule stays."""
        later = RUN.alias("later")
        is_followed = sa.exists().where(
            later.c.schedule == RUN.c.schedule, later.c.due_at > RUN.c.due_at
        )
        old = RUN.c.entered_at < self._clock.now() - KEPT
        async with self._outbox.transaction() as connection:
            await connection.execute(RUN.delete().where(old, is_followed))
