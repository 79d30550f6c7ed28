"""Store: the task backend that keeps jobs in a table of the project's database."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ...tasks.backend import Claim, Claimed, ClaimRequest, Enqueued, NewBatch, Renewal, Settlement
from ...tasks.envelope import Envelope
from ...tasks.outcome import AttemptError, JobState, Verdict, worker_vanished
from ..db.sessions.unit import current_session
from .errors import away_when_unreachable
from .statements import Statements
from .wakeup import watch

__all__ = ["JobStore"]


class JobStore:
    """Keeps jobs in the table `jobs_job`.

    What a worker does goes through few connections, whatever the number of its jobs: claims and
    results are written in batches, and leases by one statement.

    Args:
        engine: Where transactions of its own begin. A worker gives one whose pool its jobs do not
            share, so that jobs that hold all connections cannot make leases run out.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sql = Statements(engine.dialect.name)
        # Renewing and settling touch the same rows; in turn they cannot wait for each other.
        self._held_rows = asyncio.Lock()

    async def enqueue(
        self, envelopes: Sequence[Envelope], /, *, batch: NewBatch | None = None
    ) -> Sequence[Enqueued]:
        """Keep jobs: in the transaction that runs here, else in one of their own."""
        statements = [self._sql.insert(envelope) for envelope in envelopes]
        session = current_session()
        if session is not None and session.in_atomic:
            for statement in statements:
                await session.execute(statement)
        else:
            async with self._engine.begin() as connection:
                for statement in statements:
                    await connection.execute(statement)
        return [Enqueued(uid=envelope.uid) for envelope in envelopes]

    async def claim(self, request: ClaimRequest, /) -> Claimed:
        """Take due jobs by one statement, those of the smallest priority and due time first."""
        async with self._transaction() as connection:
            rows = (await connection.execute(self._sql.claim(request))).all()
            due_s = None
            if len(rows) < request.limit:
                due_s = await self._next_due_s(connection, request.queues)
        # RETURNING keeps no order.
        rows = sorted(rows, key=lambda row: (row.priority, row.run_at, row.id))
        return Claimed(claims=tuple(map(_claim, rows)), next_due_s=due_s)

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        """Record how attempts ended, all in one transaction."""
        async with self._held_rows, self._transaction() as connection:
            for verdict, attempt, keys in _batches(settlements):
                build = self._sql.done if verdict is Verdict.SUCCEEDED else self._sql.release
                await connection.execute(build(worker_id, attempt, keys))
            await self._settle_rows(connection, worker_id, settlements)

    async def renew(self, worker_id: str, held: Collection[Claim], /, *, lease_s: float) -> Renewal:
        """Prolong a worker's leases, free every expired one, and forget old jobs."""
        still: set[tuple[Any, int]] = set()
        if held:
            keys = [claim.key for claim in held]
            async with self._held_rows, self._transaction() as connection:
                rows = await connection.execute(self._sql.renew(worker_id, keys, lease_s))
                still = {(row.id, row.attempt) for row in rows}
        freed = await self._free_expired()
        async with self._transaction() as connection:
            await connection.execute(self._sql.prune())
        lost = frozenset(claim for claim in held if (claim.key, claim.attempt) not in still)
        return Renewal(lost=lost, freed=freed)

    async def give_back_strays(self, worker_id: str, held: Collection[Claim], /) -> None:
        """Free, uncounted, what the worker holds without knowing."""
        known = [claim.key for claim in held]
        async with self._held_rows, self._transaction() as connection:
            await connection.execute(self._sql.release_strays(worker_id, known))

    async def watch(self, wake: Callable[[], None], /) -> None:
        """Call `wake` when it listens, then when another connection has committed something."""
        await watch(self._engine, wake)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        with away_when_unreachable():
            async with self._engine.begin() as connection:
                yield connection

    async def _next_due_s(self, connection: AsyncConnection, queues: Sequence[str]) -> float | None:
        due, now = (await connection.execute(self._sql.next_due(queues))).one()
        return None if due is None else float((due - now).total_seconds())

    async def _settle_rows(
        self, connection: AsyncConnection, worker_id: str, settlements: Sequence[Settlement]
    ) -> None:
        later: list[dict[str, Any]] = []
        dead: list[dict[str, Any]] = []
        for settlement in settlements:
            claim, outcome = settlement.claim, settlement.outcome
            errors = (*claim.errors, outcome.error) if outcome.error else claim.errors
            row = self._sql.row(worker_id, claim.attempt, claim.key, errors)
            if outcome.verdict is Verdict.DEAD:
                dead.append(row)
            elif outcome.verdict in (Verdict.RETRY, Verdict.PUT_BACK):
                later.append(row | self._sql.row_later(outcome))
        await self._write_rows(connection, later, dead)

    async def _free_expired(self) -> int:
        """Free the jobs of workers that vanished; every worker does so, there is no leader."""
        later: list[dict[str, Any]] = []
        dead: list[dict[str, Any]] = []
        async with self._transaction() as connection:
            for row in await connection.execute(self._sql.expired()):
                outcome = worker_vanished(
                    row.worker_id, attempt=row.attempt, max_attempts=row.max_attempts
                )
                errors = (*_errors(row.errors), *((outcome.error,) if outcome.error else ()))
                freed = self._sql.row(row.worker_id, row.attempt, row.id, errors)
                if outcome.state is JobState.DEAD:
                    dead.append(freed)
                else:
                    later.append(freed | self._sql.row_later(outcome))
            await self._write_rows(connection, later, dead)
        return len(later) + len(dead)

    async def _write_rows(
        self,
        connection: AsyncConnection,
        later: list[dict[str, Any]],
        dead: list[dict[str, Any]],
    ) -> None:
        if later:
            await connection.execute(self._sql.postpone(), later)
        if dead:
            await connection.execute(self._sql.bury(), dead)


def _batches(
    settlements: Sequence[Settlement],
) -> list[tuple[Verdict, int, list[Any]]]:
    """Group what one statement can write for many jobs; the attempt is part of the fence."""
    groups: defaultdict[tuple[Verdict, int], list[Any]] = defaultdict(list)
    for settlement in settlements:
        verdict = settlement.outcome.verdict
        if verdict in (Verdict.SUCCEEDED, Verdict.INTERRUPTED):
            groups[verdict, settlement.claim.attempt].append(settlement.claim.key)
    return [(verdict, attempt, keys) for (verdict, attempt), keys in groups.items()]


def _claim(row: Row[Any]) -> Claim:
    envelope = Envelope(
        task=row.task,
        payload=row.payload,
        queue=row.queue,
        uid=row.uid,
        headers=row.headers,
        run_at=row.run_at,
        max_attempts=row.max_attempts,
        version=row.version,
    )
    return Claim(key=row.id, attempt=row.attempt, envelope=envelope, errors=_errors(row.errors))


def _errors(stored: list[dict[str, Any]] | None) -> tuple[AttemptError, ...]:
    return tuple(AttemptError.from_json(error) for error in stored or ())
