"""MemoryJobs: the jobs, and what happens to them, whoever asks for it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from ..backend import Enqueued, NewBatch, Settlement
from ..clock import Clock
from ..envelope import Envelope
from ..outcome import ERRORS_KEPT, JobState, Outcome, Verdict, worker_vanished
from .admission import Admission, running
from .batches import MemoryBatches
from .job import MemoryJob
from .keys import UniqueKeys

__all__ = ["MemoryJobs"]

PRUNED = 1000
"""How many old jobs are forgotten at once."""


class MemoryJobs:
    """Keeps jobs in a dict; a change of state wakes the workers.

    Args:
        clock: Tells the time.
        keep_done_s: How long done and cancelled jobs are kept, in seconds.
        keep_dead_s: How long dead jobs are kept, in seconds.

    Attributes:
        by_uid: The jobs, in the order of their enqueueing.
        paused: The queues from which no worker takes jobs.
        wakers: Called when jobs may have become due.
    """

    def __init__(self, clock: Clock, *, keep_done_s: float, keep_dead_s: float) -> None:
        self.clock = clock
        self.by_uid: dict[str, MemoryJob] = {}
        self.batches = MemoryBatches()
        self.paused: set[str] = set()
        self.wakers: list[Callable[[], None]] = []
        self._keep_done_s = keep_done_s
        self._keep_dead_s = keep_dead_s
        self._keys = UniqueKeys()
        self._admission = Admission()
        self._numbers = itertools.count(1)

    def __iter__(self) -> Iterator[MemoryJob]:
        return iter(list(self.by_uid.values()))

    def wake(self) -> None:
        """Let every worker look for what is due."""
        for wake in self.wakers:
            wake()

    # --- enqueueing ---

    def keep(self, envelopes: Sequence[Envelope], batch: NewBatch | None) -> list[Enqueued]:
        """Keep jobs and their batch, which may be over at once."""
        if batch is not None:
            self.batches.open(batch)
        kept = [self._keep_one(envelope) for envelope in envelopes]
        if batch is not None:
            self._keep_all(self.batches.finish(batch.uid))
        self.wake()
        return kept

    def holder(self, envelope: Envelope) -> str | None:
        """Return the job that takes the unique key of an envelope."""
        if envelope.unique is None:
            return None
        return self._keys.holder(envelope.unique, self.clock.now())

    def _keep_all(self, envelopes: Iterator[Envelope]) -> None:
        for envelope in envelopes:
            self._keep_one(envelope)

    def _keep_one(self, envelope: Envelope) -> Enqueued:
        now = self.clock.now()
        if envelope.unique is not None:
            holder = self._keys.take(envelope.unique, envelope.uid, now)
            if holder != envelope.uid:
                return Enqueued(uid=holder, is_new=False)
        self.by_uid[envelope.uid] = MemoryJob(
            envelope=replace(envelope, payload=_as_json(envelope.payload)),
            number=next(self._numbers),
            run_at=envelope.run_at or now + timedelta(seconds=envelope.delay_s),
            enqueued_at=now,
        )
        self.batches.add(envelope.batch)
        return Enqueued(uid=envelope.uid)

    # --- claiming ---

    def waiting(self, queues: Collection[str]) -> list[MemoryJob]:
        """Return what waits in some queues that are not paused, what is due the first first."""
        takes = set(queues) - self.paused
        found = [job for job in self if job.state is JobState.READY]
        return sorted(
            (job for job in found if job.envelope.queue in takes), key=lambda job: job.order
        )

    def begin(self, job: MemoryJob, worker_id: str, lease_s: float) -> bool:
        """Let a worker have a due job, unless it may not begin yet."""
        now = self.clock.now()
        if not self._admission.admits(job, self, now):
            return False
        job.state = JobState.RUNNING
        job.attempt += 1
        job.worker_id = worker_id
        job.lease_until = now + timedelta(seconds=lease_s)
        job.started_at = now
        return True

    # --- ending ---

    def settle(self, job: MemoryJob, outcome: Outcome) -> None:
        """Record how an attempt ended."""
        if outcome.error is not None:
            job.errors = (*job.errors, outcome.error)[-ERRORS_KEPT:]
        if not outcome.counted:
            job.attempt -= 1
        if outcome.state is JobState.READY and job.cancelling:
            self.end(job, JobState.CANCELLED)
        elif outcome.state is JobState.READY:
            self.release(job, delay_s=outcome.delay_s)
        else:
            job.result = _as_json(outcome.result)
            self.end(job, outcome.state)

    def release(self, job: MemoryJob, *, delay_s: float | None = None) -> None:
        """Let a running job wait again: for some seconds, or as if it had not been claimed."""
        job.state = JobState.READY
        job.worker_id = None
        job.paced = False
        if delay_s is not None:
            job.run_at = self.clock.now() + timedelta(seconds=delay_s)
        self._leave_worker(job)

    def end(self, job: MemoryJob, state: JobState) -> None:
        """Let a job have ended, whatever it did until now."""
        kept_s = self._keep_dead_s if state is JobState.DEAD else self._keep_done_s
        job.state = state
        job.finished_at = self.clock.now()
        job.keep_until = job.finished_at + timedelta(seconds=kept_s)
        if job.envelope.unique is not None:
            self._keys.release(job.envelope.unique, job.uid, forget=False)
        self._keep_all(self.batches.end(job.envelope.batch, failed=state is not JobState.DONE))
        self._leave_worker(job)

    def begin_again(self, job: MemoryJob) -> None:
        """Let a dead or cancelled job be due now, with all its attempts."""
        now = self.clock.now()
        unique = job.envelope.unique
        if unique is not None:  # where another one has it by now, they run beside each other
            self._keys.take(unique, job.uid, now)
        job.state, job.attempt, job.run_at = JobState.READY, 0, now
        job.worker_id = job.finished_at = job.keep_until = None
        job.paced = job.cancelling = False
        self.batches.begin_again(job.envelope.batch)
        self.wake()

    def discard(self, job: MemoryJob) -> None:
        """Forget a job that does not run, and free its key."""
        if job.state < JobState.DONE:
            self.end(job, JobState.CANCELLED)
        if job.envelope.unique is not None:
            self._keys.release(job.envelope.unique, job.uid, forget=True)
        del self.by_uid[job.uid]

    def _leave_worker(self, job: MemoryJob) -> None:
        job.lease_until = None
        if job.slots_key is not None:
            self._promote(job.slots_key)
        self.wake()

    # --- what is mended from time to time ---

    def sweep(self) -> tuple[Settlement, ...]:
        """Free what has lost its worker, let HELD jobs go on, forget old ones.

        Returns:
            How the attempts of workers that vanished were recorded.
        """
        now = self.clock.now()
        expired = [job for job in self if job.lease_until and job.lease_until < now]
        vanished = tuple(self._vanish(job) for job in expired)
        for key in {job.slots_key for job in self if job.state is JobState.HELD}:
            self._promote(key)
        old = [job.uid for job in self if job.keep_until and job.keep_until < now]
        for uid in old[:PRUNED]:
            del self.by_uid[uid]
        return vanished

    def _vanish(self, job: MemoryJob) -> Settlement:
        claim, worker_id = job.as_claim(), job.worker_id
        limit = job.envelope.max_attempts
        outcome = worker_vanished(worker_id, attempt=job.attempt, max_attempts=limit)
        self.settle(job, outcome)
        if job.state is JobState.CANCELLED:
            outcome = Outcome(verdict=Verdict.CANCELLED)
        return Settlement(claim=claim, outcome=outcome, worker_id=worker_id)

    def _promote(self, slots_key: str | None) -> None:
        """Let as many HELD jobs of a key be READY as may begin."""
        if slots_key is None:
            return
        held = sorted(
            (job for job in self if job.state is JobState.HELD and job.slots_key == slots_key),
            key=lambda job: job.order,
        )
        now = self.clock.now()
        taken = running(self, slots_key) + sum(
            job.state is JobState.READY and job.slots_key == slots_key and job.run_at <= now
            for job in self
        )
        for job in held:
            if job.envelope.slots is None or taken >= job.envelope.slots.limit:
                break
            job.state = JobState.READY
            taken += 1


def _as_json(value: Any) -> Any:
    """Return what a backend that writes JSON would give back."""
    return json.loads(json.dumps(value))
