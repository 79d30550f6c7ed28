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
    for row in await connection.execute(asking.all_by_queue(idiom)):
        numbers, state = told[row.queue], JobState(row.state)
        if state is JobState.READY:
            numbers |= {"ready": row.due, "scheduled": row.number - row.due}
            if row.oldest is not None:
                numbers["oldest_ready_s"] = (row.now - row.oldest).total_seconds()
        else:
            name = state.name.lower()
            numbers[name] = numbers.get(name, 0) + row.number
    if with_done := [queue for queue, numbers in told.items() if "done" in numbers]:
        for row in await connection.execute(asking.done_lately(idiom, kept, with_done)):
            told[row.queue]["done_a_minute"] = row.number
    for queue in (await connection.execute(asking.paused())).scalars():
        told[queue]["paused"] = True
    return [QueueStats(queue=queue, **told[queue]) for queue in sorted(told)]
