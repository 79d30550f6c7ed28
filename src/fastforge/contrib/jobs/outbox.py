"""Outbox: jobs that wait in the database for another backend.

A job that is enqueued in a transaction is a row in the state FORWARDING until the transaction has
committed and the backend has the job. Its unique key and its batch are written with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...tasks.backend import Enqueued, NewBatch
from ...tasks.clock import Clock
from ...tasks.envelope import Envelope
from ...tasks.outcome import AttemptError, JobState
from .enqueueing import Executes, take, write_jobs
from .envelopes import envelope_from_json, envelope_of, errors_of
from .statements.idiom import Idiom
from .statements.settling import release_keys
from .statements.tables import BATCH, JOB, UNIQUE_KEY, is_false, literal_state
from .transactions import Transactions

__all__ = ["FORWARDING", "Outbox", "Waiting"]

FORWARDING = literal_state(JobState.FORWARDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A row that waits to be forwarded.

    Args:
        envelope: The job.
        enqueued_at: When it was written.
        errors: What ended attempts before, when it begins again.
        ended_at: When it had ended, where it begins again.
        is_cancelled: Somebody has asked to cancel it since.
    """

    envelope: Envelope
    enqueued_at: datetime
    errors: tuple[AttemptError, ...] = ()
    ended_at: datetime | None = None
    is_cancelled: bool = False


class Outbox:
    """The rows on their way.

    Args:
        engine: Where transactions of its own begin.
        clock: How much later it is than the database says.

    Attributes:
        idiom: How statements are written for it.
        transaction: Begins a transaction.
        here: Gives the transaction that runs here, or begins one.
        reading: Gives the transaction that runs here, or one that only reads.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self.idiom = Idiom(engine.dialect, clock)
        transactions = Transactions(engine)
        self.transaction = transactions.own
        self.here = transactions.here
        self.reading = transactions.reading

    async def write(
        self,
        connection: Executes,
        envelopes: Sequence[Envelope],
        batch: NewBatch | None = None,
    ) -> list[Enqueued]:
        """Write jobs, unless another one takes their unique key."""
        return await write_jobs(
            self.idiom, connection, envelopes, batch=batch, state=JobState.FORWARDING
        )

    async def waiting(
        self, connection: AsyncConnection, *, older_than_s: float, limit: int
    ) -> list[Waiting]:
        """Return rows that wait for long, locked where that can be so that no other takes them."""
        since = self.idiom.later(timedelta(seconds=-older_than_s))
        query = (
            JOB.select()
            .where(JOB.c.state == FORWARDING, JOB.c.enqueued_at <= since)
            .order_by(JOB.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_read(row) for row in await connection.execute(query)]

    async def still_waiting(self, connection: Executes, uids: Sequence[str]) -> set[str]:
        """Return those of some jobs whose rows wait to be forwarded."""
        query = sa.select(JOB.c.uid).where(JOB.c.state == FORWARDING)
        found = await connection.execute(query.where(self.idiom.among(JOB.c.uid, uids)))
        return set(found.scalars())

    async def batches(
        self, connection: Executes, uids: Iterable[str]
    ) -> list[tuple[NewBatch, int]]:
        """Return batches that were written here, and how many jobs each has."""
        query = BATCH.select().where(self.idiom.among(BATCH.c.uid, uids))
        return [
            (NewBatch(uid=row.uid, then=_envelope(row.then)), row.total)
            for row in await connection.execute(query)
        ]

    async def drop(
        self, connection: Executes, uids: Sequence[str], *, unless_cancelling: bool = False
    ) -> None:
        """Delete rows that the other backend has by now, and batches of which none is left.

        Args:
            connection: Where.
            uids: The jobs.
            unless_cancelling: Leave those that somebody has asked to cancel: the other backend
                was not told so by a caller that has not read them.
        """
        mine = [JOB.c.state == FORWARDING, self.idiom.among(JOB.c.uid, uids)]
        if unless_cancelling:
            mine.append(is_false(JOB.c.cancelling))
        gone = await connection.execute(JOB.delete().where(*mine).returning(JOB.c.batch))
        batches = {row.batch for row in gone if row.batch is not None}
        if batches:
            await self._drop_batches(connection, batches)

    async def _drop_batches(self, connection: Executes, uids: Iterable[str]) -> None:
        """Delete those of which no job is left here.

        Of two transactions that drop the last jobs of one, the second waits until the first has
        committed. Else each would still see the jobs of the other, and nobody delete the batch.
        """
        mine = self.idiom.among(BATCH.c.uid, uids)
        locked = sa.select(BATCH.c.uid).where(mine).order_by(BATCH.c.uid).with_for_update()
        await connection.execute(locked)
        of_them = self.idiom.among(JOB.c.batch, uids)
        left = sa.select(JOB.c.batch).where(JOB.c.state == FORWARDING, of_them)
        await connection.execute(BATCH.delete().where(mine, BATCH.c.uid.not_in(left)))

    async def take_keys(self, connection: Executes, envelopes: Iterable[Envelope]) -> None:
        """Take the unique keys of jobs that begin again, as far as they are free."""
        wanted = {each.unique.key: each for each in envelopes if each.unique is not None}
        if wanted:
            await take(self.idiom, connection, wanted)

    async def free_keys(
        self, connection: Executes, uids: Sequence[str], *, for_good: bool = False
    ) -> None:
        """Free the unique keys of jobs that have ended.

        Args:
            connection: Where.
            uids: The jobs.
            for_good: Free also those that are taken for a period.
        """
        if for_good:
            mine = self.idiom.among(UNIQUE_KEY.c.uid, uids)
            await connection.execute(UNIQUE_KEY.delete().where(mine))
        else:
            await connection.execute(release_keys(self.idiom, uids))


def _read(row: Any) -> Waiting:
    envelope = envelope_of(row)
    if row.run_at <= row.enqueued_at:  # at once: then the clock of the other backend counts
        envelope = replace(envelope, run_at=None)
    return Waiting(
        envelope=envelope,
        enqueued_at=row.enqueued_at,
        errors=errors_of(row.errors),
        ended_at=row.finished_at,
        is_cancelled=row.cancelling,
    )


def _envelope(plain: Mapping[str, Any] | None) -> Envelope | None:
    return None if plain is None else envelope_from_json(plain)
