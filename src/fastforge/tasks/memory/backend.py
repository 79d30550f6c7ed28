"""MemoryBackend: a task backend for tests, whose jobs end with the process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

from ...lifecycle import Transaction
from ..backend import Claim, Claimed, ClaimRequest, Enqueued, NewBatch, Renewal, Settlement
from ..clock import Clock
from ..envelope import Envelope
from ..outcome import JobState
from ..records import Progress, WorkerBeat
from .desk import MemoryDesk
from .job import MemoryJob
from .jobs import MemoryJobs
from .ledger import MemoryLedger
from .waiting import WaitingForCommit

__all__ = ["MemoryBackend"]


class MemoryBackend:
    """Keeps jobs in this process.

    Args:
        clock: Tells the time; a test may advance it.
        transaction: Returns the transaction that what runs here stands in: what is enqueued in it
            is kept when it commits.
        keep_done_s: How long done and cancelled jobs are kept, in seconds.
        keep_dead_s: How long dead jobs are kept, in seconds.

    Attributes:
        clock: Tells the time.
        desk: What may be asked from outside.
        ledger: The runs of the schedules.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        transaction: Callable[[], Transaction | None] = lambda: None,
        keep_done_s: float = 86_400,
        keep_dead_s: float = 30 * 86_400,
    ) -> None:
        self.clock = Clock() if clock is None else clock
        self._jobs = MemoryJobs(self.clock, keep_done_s=keep_done_s, keep_dead_s=keep_dead_s)
        self._transaction = transaction
        self._waiting = WaitingForCommit(self._jobs)
        self.desk = MemoryDesk(self._jobs)
        self.ledger = MemoryLedger(self._jobs)

    @property
    def jobs(self) -> Mapping[str, MemoryJob]:
        """Every job that is kept, by its uid, in order."""
        return self._jobs.by_uid

    async def enqueue(
        self, envelopes: Sequence[Envelope], /, *, batch: NewBatch | None = None
    ) -> Sequence[Enqueued]:
        """Keep jobs, and the batch that they begin: when the transaction here commits."""
        transaction = self._transaction()
        await self._waiting.until_free(envelopes, transaction)
        if transaction is None:
            return self._jobs.keep(envelopes, batch)
        return self._waiting.add(transaction, envelopes, batch)

    async def claim(self, request: ClaimRequest, /) -> Claimed:
        """Give due jobs to a worker, those of the smallest priority and due time first."""
        now = self.clock.now()
        begun: list[MemoryJob] = []
        for job in self._jobs.waiting(request.queues):
            if len(begun) == request.limit:
                break
            if job.run_at <= now and self._jobs.begin(job, request.worker_id, request.lease_s):
                begun.append(job)
        left = min((job.run_at for job in self._jobs.waiting(request.queues)), default=None)
        return Claimed(
            claims=tuple(job.as_claim() for job in begun),
            next_due_s=None if left is None else (left - now).total_seconds(),
        )

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        """Record how attempts ended."""
        for settlement in settlements:
            job = self._held(worker_id, settlement.claim)
            if job is not None:
                self._jobs.settle(job, settlement.outcome)

    async def renew(self, worker_id: str, held: Collection[Claim], /, *, lease_s: float) -> Renewal:
        """Prolong a worker's leases, and mend what is left behind by others."""
        until = self.clock.now() + timedelta(seconds=lease_s)
        lost = set(held)
        for claim in held:
            job = self._held(worker_id, claim)
            if job is not None:
                job.lease_until = until
                lost.discard(claim)
        vanished = self._jobs.sweep()
        return Renewal(lost=frozenset(lost), freed=len(vanished), vanished=vanished)

    async def give_back_strays(self, worker_id: str, held: Collection[Claim], /) -> None:
        """Free, uncounted, what the worker holds without knowing."""
        known = {claim.key for claim in held}
        for job in self._jobs:
            if self._runs_at(worker_id, job) and job.uid not in known:
                job.attempt -= 1
                self._jobs.release(job)

    async def watch(self, wake: Callable[[], None], /) -> None:
        """Wake and return at once: from now on whatever makes a job due wakes."""
        self._jobs.wakers.append(wake)
        wake()

    async def attend(self, worker_id: str, reports: Mapping[Claim, Progress], /) -> Collection[str]:
        """Record how far held jobs are; return those that somebody wants cancelled."""
        for claim, progress in reports.items():
            job = self._held(worker_id, claim)
            if job is not None:
                job.progress = progress
        return [job.uid for job in self._jobs if self._runs_at(worker_id, job) and job.cancelling]

    async def beat(self, beat: WorkerBeat, /) -> None:
        """Note what a worker says of itself."""
        self.desk.heard(beat)

    async def leave(self, worker_id: str, /) -> None:
        """Forget a worker that ends."""
        self.desk.left(worker_id)

    def _held(self, worker_id: str, claim: Claim) -> MemoryJob | None:
        job = self._jobs.by_uid.get(str(claim.key))
        if job is None or not self._runs_at(worker_id, job):
            return None
        return job if job.attempt == claim.attempt else None

    def _runs_at(self, worker_id: str, job: MemoryJob) -> bool:
        return job.state is JobState.RUNNING and job.worker_id == worker_id
