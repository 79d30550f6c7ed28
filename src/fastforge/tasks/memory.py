"""Memory: a backend for tests, whose jobs end with the process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .backend import Claim, Claimed, ClaimRequest, Enqueued, NewBatch, Renewal, Settlement
from .envelope import Envelope
from .outcome import ERRORS_KEPT, AttemptError, JobState, Outcome, worker_vanished

__all__ = ["MemoryBackend", "MemoryJob"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class MemoryJob:
    """A job and its state, for tests to look at."""

    envelope: Envelope
    run_at: datetime
    state: JobState = JobState.READY
    attempt: int = 0
    worker_id: str | None = None
    lease_until: datetime | None = None
    errors: tuple[AttemptError, ...] = ()


class MemoryBackend:
    """Keeps jobs in a dict. It knows no transaction: what is enqueued stays so after a rollback.

    Args:
        clock: Tells the time, with a time zone.

    Attributes:
        jobs: Every job ever enqueued, by its uid, in order.
    """

    def __init__(self, clock: Callable[[], datetime] = _now) -> None:
        self.jobs: dict[str, MemoryJob] = {}
        self._clock = clock
        self._wakers: list[Callable[[], None]] = []

    async def enqueue(
        self, envelopes: Sequence[Envelope], /, *, batch: NewBatch | None = None
    ) -> Sequence[Enqueued]:
        """Keep jobs."""
        for envelope in envelopes:
            run_at = envelope.run_at or self._clock() + timedelta(seconds=envelope.delay_s)
            self.jobs[envelope.uid] = MemoryJob(envelope=envelope, run_at=run_at)
        for wake in self._wakers:
            wake()
        return [Enqueued(uid=envelope.uid) for envelope in envelopes]

    async def claim(self, request: ClaimRequest, /) -> Claimed:
        """Give due jobs to a worker, those that are due the longest first."""
        now = self._clock()
        waiting = sorted(self._waiting(request.queues), key=lambda job: job.run_at)
        due = [job for job in waiting if job.run_at <= now][: request.limit]
        for job in due:
            job.state = JobState.RUNNING
            job.attempt += 1
            job.worker_id = request.worker_id
            job.lease_until = now + timedelta(seconds=request.lease_s)
        left = next((job for job in waiting if job.state is JobState.READY), None)
        return Claimed(
            claims=tuple(map(_claim, due)),
            next_due_s=(left.run_at - now).total_seconds() if left else None,
        )

    async def settle(self, worker_id: str, settlements: Sequence[Settlement], /) -> None:
        """Record how attempts ended."""
        for settlement in settlements:
            job = self._held(worker_id, settlement.claim)
            if job is not None:
                self._end(job, settlement.outcome)

    async def renew(self, worker_id: str, held: Collection[Claim], /, *, lease_s: float) -> Renewal:
        """Prolong a worker's leases, and free every job whose lease has run out."""
        until = self._clock() + timedelta(seconds=lease_s)
        lost = set(held)
        for claim in held:
            job = self._held(worker_id, claim)
            if job is not None:
                job.lease_until = until
                lost.discard(claim)
        return Renewal(lost=frozenset(lost), freed=self._free_expired())

    async def give_back_strays(self, worker_id: str, held: Collection[Claim], /) -> None:
        """Free, uncounted, what the worker holds without knowing."""
        known = {claim.key for claim in held}
        for uid, job in self.jobs.items():
            if job.worker_id == worker_id and uid not in known:
                _release(job, JobState.READY)
                job.attempt -= 1

    async def watch(self, wake: Callable[[], None], /) -> None:
        """Wake and return at once: from now on every `enqueue` wakes."""
        self._wakers.append(wake)
        wake()

    def _waiting(self, queues: tuple[str, ...]) -> Iterator[MemoryJob]:
        for job in self.jobs.values():
            if job.state is JobState.READY and job.envelope.queue in queues:
                yield job

    def _held(self, worker_id: str, claim: Claim) -> MemoryJob | None:
        job = self.jobs.get(str(claim.key))
        ours = job and (job.worker_id, job.attempt) == (worker_id, claim.attempt)
        return job if ours else None

    def _end(self, job: MemoryJob, outcome: Outcome) -> None:
        if outcome.error is not None:
            job.errors = (*job.errors, outcome.error)[-ERRORS_KEPT:]
        if not outcome.counted:
            job.attempt -= 1
        job.run_at = self._clock() + timedelta(seconds=outcome.delay_s)
        _release(job, outcome.state)

    def _free_expired(self) -> int:
        now = self._clock()
        expired = [job for job in self.jobs.values() if job.lease_until and job.lease_until < now]
        for job in expired:
            limit = job.envelope.max_attempts
            vanished = worker_vanished(job.worker_id, attempt=job.attempt, max_attempts=limit)
            self._end(job, vanished)
        return len(expired)


def _claim(job: MemoryJob) -> Claim:
    uid = job.envelope.uid
    return Claim(key=uid, attempt=job.attempt, envelope=job.envelope, errors=job.errors)


def _release(job: MemoryJob, state: JobState) -> None:
    job.state, job.worker_id, job.lease_until = state, None, None
