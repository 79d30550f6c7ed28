"""Vanishing: the attempts of workers that say nothing any more are ended, and told of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...tasks.backend import Settlement
from ...tasks.outcome import JobState, Outcome, Verdict, worker_vanished
from .endings import follow_endings
from .enqueueing import Executes
from .envelopes import claim_of
from .statements import leases, settling
from .statements.idiom import Idiom
from .statements.settling import Ending, Retention

__all__ = ["end_vanished"]


async def end_vanished(idiom: Idiom, connection: Executes, kept: Retention) -> list[Settlement]:
    """End the attempts whose lease has run out, some at a time, and return how.

    What another worker ends at the same moment is not among them: each is told of once.

    Args:
        idiom: How statements are written.
        connection: In a transaction.
        kept: How long ended jobs are kept.
    """
    found = (await connection.execute(leases.expired(idiom))).all()
    if not found:
        return []
    vanished = {row.id: _settlement(row) for row in found}
    endings = [Ending.of(each, each.worker_id) for each in vanished.values()]
    statement = settling.settle(idiom, endings, kept, told=True)
    written = (await connection.execute(*statement)).all()
    await follow_endings(idiom, connection, written)
    return [_recorded(vanished[row.id], row.state) for row in written]


def _settlement(row: Any) -> Settlement:
    outcome = worker_vanished(row.worker_id, attempt=row.attempt, max_attempts=row.max_attempts)
    return Settlement(claim=claim_of(row), outcome=outcome, worker_id=row.worker_id)


def _recorded(settlement: Settlement, state: int) -> Settlement:
    """Return a settlement as it was recorded: whom somebody wants cancelled is not tried again."""
    if state != JobState.CANCELLED:
        return settlement
    return replace(settlement, outcome=Outcome(verdict=Verdict.CANCELLED))
