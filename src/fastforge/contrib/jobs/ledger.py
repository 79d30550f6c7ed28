"""TableLedger: which runs of the schedules have been enqueued, in the project's database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...tasks.envelope import Envelope
from ...tasks.ledger import ScheduledRun
from ...tasks.outcome import JobState
from .enqueueing import write_jobs
from .statements import schedules as statements
from .statements.idiom import Idiom
from .transactions import Transactions

__all__ = ["TableLedger"]


class TableLedger:
    """Enters each due time once: a key of the table decides who does.

    Args:
        idiom: How statements are written.
        transactions: Where they run.
        state: In which a job is written; FORWARDING where another backend runs it.
    """

    def __init__(
        self, idiom: Idiom, transactions: Transactions, *, state: JobState = JobState.READY
    ) -> None:
        self._state = state
        self._idiom = idiom
        self._transactions = transactions

    async def latest(self, schedules: Sequence[str], /) -> Mapping[str, ScheduledRun]:
        """Return the last run that was entered of each schedule that has one."""
        if not schedules:
            return {}
        async with self._transactions.reading() as connection:
            query = statements.latest_runs(self._idiom, schedules)
            rows = (await connection.execute(*query)).all()
        return {
            row.schedule: ScheduledRun(schedule=row.schedule, due_at=row.due_at, uid=row.uid)
            for row in rows
        }

    async def enter(self, run: ScheduledRun, envelope: Envelope | None, /) -> bool:
        """Enter a due time and enqueue its job, in one transaction.

        Who comes second to a due time waits for the end of the first one's transaction; when that
        rolls back, the second enters it.
        """
        uid = None if envelope is None else envelope.uid
        async with self._transactions.own() as connection:
            entering = statements.enter_run(self._idiom, replace(run, uid=uid))
            if (await connection.execute(entering)).first() is None:
                return False
            if envelope is not None:
                (written,) = await write_jobs(
                    self._idiom, connection, [envelope], state=self._state
                )
                if not written.is_new:
                    await connection.execute(statements.forget_uid(run))
        return True
