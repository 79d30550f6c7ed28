"""Queues: how many jobs wait, run and have ended in each, counted in the indexes of the table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from ...tasks.outcome import JobState
from ...tasks.records import QueueStats
from .enqueueing import Executes
from .statements import asking
from .statements.idiom import Idiom
from .statements.settling import Retention

__all__ = ["count_queues"]


async def count_queues(idiom: Idiom, connection: Executes, kept: Retention) -> Sequence[QueueStats]:
    """Return every queue that has jobs or is paused, in numbers.

    Args:
        idiom: How statements are written.
        connection: In a transaction that may only read.
        kept: How long ended jobs are kept.
    """
    told: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for row in await connection.execute(asking.waiting_by_queue(idiom)):
        oldest_s = None if row.oldest is None else (row.now - row.oldest).total_seconds()
        told[row.queue] |= {
            "ready": row.ready,
            "scheduled": row.scheduled,
            "oldest_ready_s": oldest_s,
        }
    for counted in (asking.begun_by_queue(), asking.ended_by_queue()):
        for row in await connection.execute(counted):
            told[row.queue][JobState(row.state).name.lower()] = row.number
    if with_done := [queue for queue, numbers in told.items() if "done" in numbers]:
        for row in await connection.execute(asking.done_lately(idiom, kept, with_done)):
            told[row.queue]["done_a_minute"] = row.number
    for queue in (await connection.execute(asking.paused())).scalars():
        told[queue]["paused"] = True
    return [QueueStats(queue=queue, **told[queue]) for queue in sorted(told)]
