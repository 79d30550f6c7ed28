"""Enqueueing: jobs, the unique keys that they take and their batch, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ...tasks.backend import Enqueued, NewBatch
from ...tasks.envelope import Envelope
from ...tasks.outcome import JobState
from .statements.enqueueing import (
    insert_batch,
    insert_jobs,
    keys_taken,
    take_keys,
    take_over,
)
from .statements.idiom import Idiom

__all__ = ["Executes", "take", "write_jobs"]


class Executes(Protocol):
    """A connection in a transaction, or a session in `atomic`."""

    async def execute(self, statement: Any, parameters: Any = None, /) -> Any:
        """Run a statement."""
        ...


async def write_jobs(
    idiom: Idiom,
    connection: Executes,
    envelopes: Sequence[Envelope],
    *,
    batch: NewBatch | None = None,
    state: JobState = JobState.READY,
) -> list[Enqueued]:
    """Write jobs, unless another one takes their unique key; a few statements for any number.

    Of two transactions that want one key the second waits for the end of the first. When that
    commits, the second is given its job; when it rolls back, the second has the key.

    Args:
        idiom: How statements are written.
        connection: In a transaction.
        envelopes: The jobs.
        batch: The batch that they begin.
        state: FORWARDING where another backend runs them.
    """
    wanted: dict[str, Envelope] = {}
    for envelope in envelopes:
        if envelope.unique is not None:
            wanted.setdefault(envelope.unique.key, envelope)
    holders = await take(idiom, connection, wanted) if wanted else {}
    results = [_enqueued(envelope, holders) for envelope in envelopes]
    new = [each for each, result in zip(envelopes, results, strict=True) if result.is_new]
    if batch is not None:
        await connection.execute(insert_batch(idiom, batch, len(new)))
        if batch.then is not None and not new:
            await write_jobs(idiom, connection, [batch.then], state=state)
    if new:
        await connection.execute(*insert_jobs(idiom, new, state=state))
    return results


def _enqueued(envelope: Envelope, holders: dict[str, str]) -> Enqueued:
    if envelope.unique is None:
        return Enqueued(uid=envelope.uid)
    holder = holders[envelope.unique.key]
    return Enqueued(uid=holder, is_new=holder == envelope.uid)


async def take(idiom: Idiom, connection: Executes, wanted: dict[str, Envelope]) -> dict[str, str]:
    """Take unique keys; return by key the job that has it then: the one that wants it, or not."""
    holders: dict[str, str] = {}
    left = dict(wanted)
    while left:  # again for a key that was given back between two statements
        for key in await _keys(connection, *take_keys(idiom, left)):
            holders[key] = left.pop(key).uid
        for row in (await connection.execute(keys_taken(idiom, left))).all() if left else ():
            envelope = left[row.key]
            if not row.is_over:
                holders[row.key] = row.uid
                del left[row.key]
            elif await _keys(connection, take_over(idiom, envelope, row.key)):
                holders[row.key] = envelope.uid
                del left[row.key]
    return holders


async def _keys(connection: Executes, statement: Any, parameters: Any = None) -> list[str]:
    return list((await connection.execute(statement, parameters)).scalars())
