"""Ledger: which runs of the schedules have been enqueued, in the project's database."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from ...tasks.backend import BackendAway
from ...tasks.envelope import Envelope
from ...tasks.ledger import ScheduledRun
from ...tasks.outcome import JobState
from ..jobs.ledger import TableLedger
from ..jobs.statements.idiom import Idiom
from ..jobs.transactions import Transactions
from .forwarding import Forwarding

__all__ = ["ArqLedger"]


class ArqLedger(TableLedger):
    """Enters due times in the table, each with the row of its job, and forwards that at once.

    Args:
        engine: Of the database.
        idiom: How statements are written.
        forwarding: Brings jobs to Redis.
    """

    def __init__(self, engine: AsyncEngine, idiom: Idiom, forwarding: Forwarding) -> None:
        super().__init__(idiom, Transactions(engine), state=JobState.FORWARDING)
        self._forwarding = forwarding

    async def enter(self, run: ScheduledRun, envelope: Envelope | None, /) -> bool:
        """Enter a due time and enqueue its job, in one transaction."""
        entered = await super().enter(run, envelope)
        if entered and envelope is not None:
            try:
                await self._forwarding.forward(older_than_s=0)
            except BackendAway:
                return True  # a worker does so later
        return entered
