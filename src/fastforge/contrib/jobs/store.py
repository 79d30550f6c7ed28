"""Store: the task backend that keeps jobs in a table of the project's database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...tasks.backend import (
    Claim,
    Claimed,
    ClaimRequest,
    Enqueued,
    NewBatch,
    Renewal,
    Settlement,
)
from ...tasks.clock import Clock
from ...tasks.envelope import Envelope
from ...tasks.records import Progress, WorkerBeat
from ...tasks.settings import Tasks
from .admission import admit
from .desk import TableDesk
from .endings import follow_endings
from .enqueueing import write_jobs
from .envelopes import claim_of, place_of
from .ledger import TableLedger
from .statements import claiming, leases, settling
from .statements.idiom import Idiom
from .statements.settling import Ending, Retention
from .transactions import Transactions
from .upkeep import Upkeep
from .vanishing import end_vanished
from .wakeup import watch

__all__ = ["JobStore"]

CLAIM_ROUNDS: Final = 5
"""How often a claim looks for others in place of jobs that may not begin."""


class JobStore:
    """Keeps jobs in the table `jobs_job`.

    What a worker does goes through few connections, whatever the number of its jobs: claims and
    results are written in batches, and leases by one statement.

    Args:
        engine: Where transactions of its own begin. A worker gives one whose pool its jobs do not
            share, so that jobs that hold all connections cannot make leases run out.
        settings: For how long ended jobs are kept, and workers count as alive; the defaults
            unless given.
        clock: How much later it is than the database says.
        pooled: Whether the engine's connections go through a pooler.

    Attributes:
        clock: The same.
        desk: What is told of the jobs, and done with them from outside.
        ledger: Which runs of the schedules have been enqueued.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        settings: Tasks | None = None,
        clock: Clock | None = None,
        pooled: bool = False,
    ) -> None:
        settings = settings or Tasks()
        self.clock = clock or Clock()
        self._engine = engine
        self._idiom = idiom = Idiom(engine.dialect, self.clock)
        self._kept = Retention(done_s=settings.keep_done_s, dead_s=settings.keep_dead_s)
        self._upkeep = Upkeep(idiom, self._kept)
        self._transactions = Transactions(engine, pooled=pooled)
        self.desk = TableDesk(idiom, self._transactions, kept=self._kept, alive_s=settings.lease_s)
        self.ledger = TableLedger(idiom, self._transactions)
        # Those of a renewal that failed later are told of by the next one.
        self._untold: list[Settlement] = []
        # Renewing and settling touch the same rows; in turn they cannot wait for each other.
        self._held_rows = asyncio.Lock()

    @property
    def engine(self) -> AsyncEngine:
        """Where its own transactions begin."""
        return self._engine

    async def enqueue(
        self, envelopes: Sequence[Envelope], /, *, batch: NewBatch | None = None
    ) -> Sequence[Enqueued]:
        """Keep jobs: in the transaction that runs here, else in one of their own."""
        async with self._transactions.here() as connection:
            return await write_jobs(self._idiom, connection, envelopes, batch=batch)

    async def claim(self, request: ClaimRequest, /) -> Claimed:
        """Take due jobs by one statement, those of the smallest priority and due time first.

        Where some of them may not begin yet, it takes others in their place.
        """
        begun: list[Any] = []
        for _ in range(CLAIM_ROUNDS):
            wanted = replace(request, limit=request.limit - len(begun))
            found, admitted, due_s = await self._claim_some(wanted)
            begun += admitted
            if found < wanted.limit or len(admitted) == found:
                return Claimed(claims=tuple(map(claim_of, begun)), next_due_s=due_s)
        return Claimed(claims=tuple(map(claim_of, begun)), next_due_s=0.0)

    async def _claim_some(self, wanted: ClaimRequest) -> tuple[int, list[Any], float | None]:
        """Claim in one transaction; give how many were due, who may begin, and when others are."""
        due_s = None
        async with self._transactions.own() as connection:
            rows = (await connection.execute(*claiming.claim(self._idiom, wanted))).all()
            # RETURNING keeps no order.
            rows = sorted(rows, key=place_of)
            admitted = await admit(self._idiom, connection, rows)
            if len(rows) < wanted.limit:
                due_s = await self._next_due_s(connection, wanted)
        return len(rows), admitted, due_s

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        """Record how attempts ended, all of them by one statement."""
        endings = [Ending.of(settlement, worker_id) for settlement in settlements]
        if not endings:
            return
        followed = any(_has_followers(settlement.claim.envelope) for settlement in settlements)
        begin = self._transactions.own if followed else self._transactions.single
        async with self._held_rows, begin() as connection:
            await self._write(connection, endings, followed=followed)

    async def renew(self, worker_id: str, held: Collection[Claim], /, *, lease_s: float) -> Renewal:
        """Prolong a worker's leases, free every expired one, and mend and tidy the tables."""
        still: set[tuple[Any, int]] = set()
        if held:
            async with self._held_rows, self._transactions.single() as connection:
                statement = leases.renew(self._idiom, worker_id, held, lease_s)
                still = {(row.id, row.attempt) for row in await connection.execute(*statement)}
        freed = await self._free_expired()
        for mend in self._upkeep.tick():
            async with self._transactions.own() as connection:
                await mend(connection)
        lost = frozenset(claim for claim in held if (claim.key, claim.attempt) not in still)
        vanished, self._untold = self._untold, []
        return Renewal(lost=lost, freed=freed, vanished=tuple(vanished))

    async def give_back_strays(self, worker_id: str, held: Collection[Claim], /) -> None:
        """Free, uncounted, what the worker holds without knowing."""
        known = [claim.key for claim in held]
        async with self._held_rows, self._transactions.own() as connection:
            statement = settling.release_strays(self._idiom, worker_id, known, self._kept)
            rows = (await connection.execute(statement)).all()
            await follow_endings(self._idiom, connection, rows)

    async def attend(self, worker_id: str, reports: Mapping[Claim, Progress], /) -> Collection[str]:
        """Record how far jobs are, and tell which of the worker's are to be cancelled."""
        begin = self._transactions.own if reports else self._transactions.single
        async with self._held_rows, begin() as connection:
            if reports:
                await connection.execute(*leases.report(self._idiom, worker_id, reports))
            found = await connection.execute(*leases.cancelling(self._idiom, worker_id))
            return frozenset(found.scalars())

    async def beat(self, beat: WorkerBeat, /) -> None:
        """Note what a worker says of itself."""
        async with self._transactions.single() as connection:
            await connection.execute(leases.beat(self._idiom, beat))

    async def leave(self, worker_id: str, /) -> None:
        """Forget a worker that has ended."""
        async with self._transactions.single() as connection:
            await connection.execute(leases.leave(worker_id))

    async def watch(self, wake: Callable[[], None], /) -> None:
        """Call `wake` when it listens, then when another connection has committed something."""
        await watch(self._engine, wake)

    async def _next_due_s(self, connection: AsyncConnection, request: ClaimRequest) -> float | None:
        due, now = (await connection.execute(*claiming.next_due(self._idiom, request))).one()
        return None if due is None else float((due - now).total_seconds())

    async def _free_expired(self) -> int:
        """Free the jobs of workers that vanished; every worker does so, there is no leader."""
        async with self._transactions.own() as connection:
            vanished = await end_vanished(self._idiom, connection, self._kept)
        self._untold.extend(vanished)
        return len(vanished)

    async def _write(
        self, connection: AsyncConnection, endings: Sequence[Ending], *, followed: bool
    ) -> None:
        statement = settling.settle(self._idiom, endings, self._kept, told=followed)
        result = await connection.execute(*statement)
        if followed:
            await follow_endings(self._idiom, connection, result.all())


def _has_followers(envelope: Envelope) -> bool:
    """Return whether others wait for the end of a job."""
    return any(each is not None for each in (envelope.batch, envelope.unique, envelope.slots))
