"""Backend: jobs that flow through Redis, and what is remembered of them in the database."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from ..._utils import told
from ...exceptions import ForgeError
from ...tasks.backend import (
    BackendAway,
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
from ..jobs.outbox import Outbox
from ..jobs.statements.settling import Retention
from ..redis.library import Client
from .desk import ArqDesk
from .flow import Flow, Leftovers
from .forwarding import Forwarding, transaction_here
from .ledger import ArqLedger
from .remembered import Remembered
from .server import Server
from .watching import watch
from .workers import Workers

__all__ = ["ArqBackend"]

logger = logging.getLogger("fastforge.contrib.arq")


class ArqBackend:
    """Keeps jobs in Redis while they wait and run, and in the database once they ended badly.

    A worker needs three connections to Redis, whatever the number of its jobs: what it claims,
    renews and settles goes in batches. The database may be away: what is to be remembered there
    waits in Redis meanwhile.

    Args:
        client: A client; where jobs are claimed, one whose commands are not sent twice.
        engine: Of the database that has the tables of `fastforge.contrib.jobs`.
        listener: Makes a client with one connection for a subscription; whoever asks closes it.
        settings: For how long ended jobs are kept, and workers count as alive; the defaults
            unless given.
        clock: How much later it is than the servers say.

    Attributes:
        clock: The same.
        desk: What may be asked and done from outside.
        ledger: The runs of the schedules.
    """

    def __init__(
        self,
        client: Client,
        engine: AsyncEngine,
        *,
        listener: Callable[[], Client],
        settings: Tasks | None = None,
        clock: Clock | None = None,
    ) -> None:
        settings = settings or Tasks()
        self.clock = clock or Clock()
        server = Server(client)
        outbox = Outbox(engine, self.clock)
        self._flow = Flow(server, self.clock, keep_done_s=settings.keep_done_s)
        self._forwarding = Forwarding(self._flow, outbox)
        self._remembered = Remembered(
            self._flow,
            outbox,
            self.clock,
            Retention(done_s=settings.keep_done_s, dead_s=settings.keep_dead_s),
        )
        self._workers = Workers(server, self.clock, alive_s=settings.lease_s)
        self._listener = listener
        self._queues: frozenset[bytes] = frozenset()
        self._failing: set[str] = set()
        self.desk = ArqDesk(
            self._flow, self._remembered, self._forwarding, outbox, self._workers, self._tidy
        )
        self.ledger = ArqLedger(engine, outbox.idiom, self._forwarding)

    async def enqueue(
        self, envelopes: Sequence[Envelope], /, *, batch: NewBatch | None = None
    ) -> Sequence[Enqueued]:
        """Keep jobs: in the transaction that runs here, else in Redis at once."""
        return await self._forwarding.enqueue(envelopes, batch)

    async def claim(self, request: ClaimRequest, /) -> Claimed:
        """Take due jobs by one script, those of the smallest priority and due time first."""
        self._queues = frozenset(queue.encode() for queue in request.queues)
        claims, next_due_s = await self._flow.claim(request)
        return Claimed(claims=tuple(claims), next_due_s=next_due_s)

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        """Record how attempts ended, all by one script."""
        await self._tidy(await self._flow.settle(worker_id, settlements))

    async def renew(self, worker_id: str, held: Collection[Claim], /, *, lease_s: float) -> Renewal:
        """Prolong a worker's leases, and do what others have left behind."""
        renewal, left = await self._flow.renew(worker_id, held, lease_s)
        await self._tidy(left)
        await self._chore(self._forwarding.forward)
        await self._chore(self._remembered.prune)
        return renewal

    async def give_back_strays(self, worker_id: str, held: Collection[Claim], /) -> None:
        """Free, uncounted, what the worker holds without knowing."""
        await self._flow.give_back_strays(worker_id, held)

    async def watch(self, wake: Callable[[], None], /) -> None:
        """Call `wake` when it listens, then whenever jobs of its queues have become due."""
        client = self._listener()
        try:
            await watch(client, self._is_ours, wake)
        finally:
            await client.aclose()

    async def attend(self, worker_id: str, reports: Mapping[Claim, Progress], /) -> Collection[str]:
        """Record how far held jobs are; return those that somebody wants cancelled."""
        return await self._flow.attend(worker_id, reports)

    async def beat(self, beat: WorkerBeat, /) -> None:
        """Note what a worker says of itself."""
        await self._workers.heard(beat)

    async def leave(self, worker_id: str, /) -> None:
        """Forget a worker that ends."""
        await self._workers.left(worker_id)

    def _is_ours(self, queue: bytes) -> bool:
        return not self._queues or queue in self._queues

    async def _tidy(self, left: Leftovers) -> None:
        """Write to the database what the scripts have left for it; what fails is left again.

        Inside of a caller's transaction it is left to a worker: a file has one writer.
        """
        if transaction_here() is not None:
            return
        if left.rows:
            await self._chore(self._remembered.bury)
        if left.keys:
            await self._chore(self._remembered.free_keys)
        if left.thens:
            await self._chore(self._follow_batches)

    async def _follow_batches(self) -> None:
        """Enqueue what comes after batches that are over, before it is taken off their list."""
        while (then := await self._flow.first_then()) is not None:
            written, envelope = then
            await self._forwarding.enqueue([envelope])
            await self._flow.drop_then(written)

    async def _chore(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do what may wait: whatever fails there does not keep the worker from its jobs."""
        name = getattr(work, "__name__", "")
        try:
            await work()
        except Exception as error:
            if not self._failing:
                logger.warning(
                    "what is to be remembered of jobs waits in Redis: %s",
                    error if isinstance(error, ForgeError) else told(error),
                    exc_info=None if isinstance(error, BackendAway) else error,
                )
            self._failing.add(name)
        else:
            if name in self._failing and self._failing == {name}:
                logger.info("what is to be remembered of jobs is written again")
            self._failing.discard(name)
