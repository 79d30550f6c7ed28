"""Forwarding: jobs on their way from a transaction of the database to Redis."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final
from weakref import WeakSet

from ...tasks.backend import BackendAway, Enqueued, NewBatch
from ...tasks.envelope import Envelope
from ..db.sessions.session import Session
from ..db.sessions.unit import current_session
from ..jobs.outbox import Outbox, Waiting
from .calls import CHUNK
from .flow import Flow
from .parcels import Parcel

__all__ = ["Forwarding", "transaction_here"]

SWEPT_AFTER_S: Final = 2.0
"""How old a row is of which nobody thinks any more: the process that wrote it has died."""


class Forwarding:
    """Keeps jobs in Redis, by way of the database where they have to be.

    Inside `atomic` a job is a row of that transaction, and is forwarded once it has committed.
    So is one with a unique key, which is taken there, and so are the jobs of a batch with `then`
    that are more than one call takes. All others go to Redis at once; when that is away they
    become rows as well.

    Args:
        flow: The jobs in Redis.
        outbox: The rows.
    """

    def __init__(self, flow: Flow, outbox: Outbox) -> None:
        self._flow = flow
        self._outbox = outbox
        self._changed: WeakSet[Session] = WeakSet()

    async def enqueue(
        self, envelopes: Sequence[Envelope], batch: NewBatch | None = None
    ) -> list[Enqueued]:
        """Keep jobs, in the transaction that runs here if there is one.

        Raises:
            BackendAway: Neither Redis nor the database can be reached.
        """
        session = transaction_here()
        if session is not None:
            return await self._in_transaction(session, envelopes, batch)
        if any(envelope.unique for envelope in envelopes) or (batch and not envelopes):
            return await self._by_way_of_database(envelopes, batch)
        calls = self._flow.packed([Parcel(envelope=envelope) for envelope in envelopes])
        if batch and batch.then and len(calls) > 1:
            # Whoever is killed between two calls would leave a batch that never ends.
            return await self._by_way_of_database(envelopes, batch)
        try:
            if batch is not None:
                await self._flow.begin_batch(batch, len(envelopes))
            await self._flow.send(calls)
        except BackendAway:
            # What has arrived all the same is known there by its id, and is not kept twice.
            return await self._by_way_of_database(envelopes, batch)
        return [Enqueued(uid=envelope.uid) for envelope in envelopes]

    async def forward_soon(self) -> None:
        """Forward all that waits: once the transaction that runs here has committed, or now."""
        session = transaction_here()
        if session is None:
            await self.forward(older_than_s=0)
        else:
            session.on_commit(self._forward_all)

    def has_changed(self, session: Session) -> None:
        """Note that what a transaction has enqueued is not any more as it was written."""
        self._changed.add(session)

    async def _forward_all(self) -> None:
        with suppress(BackendAway):  # a worker does so later
            await self.forward(older_than_s=0)

    async def forward(self, *, older_than_s: float = SWEPT_AFTER_S) -> int:
        """Forward the rows that wait for long, and return how many there were.

        Raises:
            BackendAway: Redis or the database cannot be reached; the rows stay.
        """
        count = 0
        while True:
            async with self._outbox.transaction() as connection:
                rows = await self._outbox.waiting(
                    connection, older_than_s=older_than_s, limit=CHUNK
                )
                if not rows:
                    return count
                uids = {
                    row.envelope.batch for row in rows if row.envelope.batch and not row.ended_at
                }
                for batch, total in await self._outbox.batches(connection, uids) if uids else ():
                    await self._flow.begin_batch(batch, total)
                await self._flow.keep([_parcel(row) for row in rows])
                await self._outbox.drop(connection, [row.envelope.uid for row in rows])
            count += len(rows)

    async def _in_transaction(
        self, session: Session, envelopes: Sequence[Envelope], batch: NewBatch | None
    ) -> list[Enqueued]:
        results = await self._outbox.write(session, envelopes, batch)

        async def forward() -> None:
            if session in self._changed:
                await self._forward_all()
            else:
                await self._forward_these(envelopes, results, batch)

        session.on_commit(forward)
        return results

    async def _by_way_of_database(
        self, envelopes: Sequence[Envelope], batch: NewBatch | None
    ) -> list[Enqueued]:
        async with self._outbox.transaction() as connection:
            results = await self._outbox.write(connection, envelopes, batch)
        await self._forward_these(envelopes, results, batch)
        return results

    async def _forward_these(
        self,
        envelopes: Sequence[Envelope],
        results: Sequence[Enqueued],
        batch: NewBatch | None,
    ) -> None:
        """Forward what has just been committed. What fails is left to the sweep of a worker."""
        new = [each for each, result in zip(envelopes, results, strict=True) if result.is_new]
        if batch is not None and batch.then is not None and not new:
            new = [batch.then]
        try:
            if batch is not None and new and new[0].batch == batch.uid:
                await self._flow.begin_batch(batch, len(new))
            await self._flow.keep([Parcel(envelope=envelope) for envelope in new])
            async with self._outbox.transaction() as connection:
                uids = [envelope.uid for envelope in new]
                await self._outbox.drop(connection, uids, unless_cancelling=True)
        except BackendAway:
            return


def transaction_here() -> Session | None:
    """Return the session whose transaction runs here; None where there is none."""
    session = current_session()
    return session if session is not None and session.in_atomic else None


def _parcel(row: Waiting) -> Parcel:
    return Parcel(
        envelope=row.envelope,
        errors=row.errors,
        ended_at=row.ended_at,
        is_cancelled=row.is_cancelled,
        enqueued_at=row.enqueued_at,
    )
