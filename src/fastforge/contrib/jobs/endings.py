"""Endings: what else happens when jobs do not run any more, in the transaction that says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...tasks.outcome import JobState
from .enqueueing import Executes, write_jobs
from .envelopes import envelope_from_json
from .statements.idiom import Idiom
from .statements.settling import count_in_batch, forget_then, release_keys

__all__ = ["follow_endings"]


async def follow_endings(idiom: Idiom, connection: Executes, rows: Sequence[Any]) -> None:
    """Do what follows from jobs that do not run any more.

    Every transaction locks in this order: jobs, unique keys, batches; so that no two wait for
    each other.

    Args:
        rows: Those that were changed, with ENDED_COLUMNS as they are now.
    """
    ended = [row for row in rows if row.state >= JobState.DONE]
    takers = [row.uid for row in ended if row.unique_key is not None]
    if takers:
        await connection.execute(release_keys(idiom, takers))
    await _count_in_batches(idiom, connection, ended)


async def _count_in_batches(idiom: Idiom, connection: Executes, ended: Sequence[Any]) -> None:
    counts = Counter(row.batch for row in ended if row.batch is not None)
    failed = Counter(row.batch for row in ended if row.state != JobState.DONE)
    for uid in sorted(counts):
        statement = count_in_batch(idiom, uid, ended=counts[uid], failed=failed[uid])
        left = (await connection.execute(statement)).one_or_none()
        if left is not None and left.pending <= 0 and left.then is not None:
            await connection.execute(forget_then(uid))
            await write_jobs(idiom, connection, [envelope_from_json(left.then)])
