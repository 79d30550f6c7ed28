"""Endings: what else happens when jobs do not run any more, in the transaction that says so.

Every transaction locks in this order: jobs, unique keys, batches, keys of slots and paces; so that
no two wait for each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ...tasks.outcome import JobState
from .enqueueing import Executes, write_jobs
from .envelopes import envelope_from_json
from .promotion import promote_freed
from .statements.desk import forget_keys, retake_keys
from .statements.idiom import Idiom
from .statements.settling import count_in_batch, forget_then, release_keys

__all__ = ["follow_discards", "follow_endings", "follow_retries"]


async def follow_endings(idiom: Idiom, connection: Executes, rows: Sequence[Any]) -> None:
    """Do what follows from jobs that do not run any more, or shall not run.

    Args:
        rows: Those that were changed, with ENDED_COLUMNS as they are now.
    """
    ended = [row for row in rows if row.state >= JobState.DONE]
    takers = [row.uid for row in ended if row.unique_key is not None]
    if takers:
        await connection.execute(release_keys(idiom, takers))
    failed = Counter(row.batch for row in ended if row.state != JobState.DONE)
    await _count(idiom, connection, Counter(row.batch for row in ended), failed)
    await promote_freed(idiom, connection, rows)


async def follow_discards(idiom: Idiom, connection: Executes, rows: Sequence[Any]) -> None:
    """Do what follows from jobs that are not there any more.

    Args:
        rows: What they were, with ENDED_COLUMNS.
    """
    takers = [row.uid for row in rows if row.unique_key is not None]
    if takers:
        await connection.execute(forget_keys(idiom, takers))
    waited = [row for row in rows if row.state < JobState.DONE]
    batches = Counter(row.batch for row in waited)
    await _count(idiom, connection, batches, batches)
    await promote_freed(idiom, connection, waited)


async def follow_retries(idiom: Idiom, connection: Executes, rows: Sequence[Any]) -> None:
    """Do what follows from ended jobs that shall run again.

    Args:
        rows: Those that were changed, with ENDED_COLUMNS.
    """
    takers = {row.unique_key: row.uid for row in rows if row.unique_key is not None}
    if takers:
        await connection.execute(*retake_keys(idiom, takers))
    batches = Counter(row.batch for row in rows)
    back = Counter({uid: -number for uid, number in batches.items()})
    await _count(idiom, connection, back, back)


async def _count(
    idiom: Idiom, connection: Executes, ended: Counter[Any], failed: Counter[Any]
) -> None:
    """Count jobs of batches that have ended; what comes then is enqueued after the last one."""
    for uid in _sorted(ended):
        statement = count_in_batch(idiom, uid, ended=ended[uid], failed=failed[uid])
        left = (await connection.execute(statement)).one_or_none()
        if left is not None and left.pending <= 0 and left.then is not None:
            await connection.execute(forget_then(uid))
            await write_jobs(idiom, connection, [envelope_from_json(left.then)])


def _sorted(batches: Iterable[str | None]) -> list[str]:
    return sorted(uid for uid in batches if uid is not None)
