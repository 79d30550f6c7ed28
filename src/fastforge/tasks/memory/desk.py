"""MemoryDesk: what is asked of the jobs in memory from outside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ..outcome import JobState
from ..records import BatchRecord, JobQuery, JobRecord, QueueStats, WorkerBeat
from .job import MemoryJob
from .jobs import MemoryJobs

__all__ = ["MemoryDesk"]

ALIVE: Final = timedelta(seconds=30)
"""How long after its last word a worker counts as alive."""
REMEMBERED: Final = timedelta(hours=1)
"""How long a worker that says nothing is shown."""

_WAITS: Final = (JobState.FORWARDING, JobState.HELD, JobState.READY)


class MemoryDesk:
    """Tells of jobs in memory, and does what it is told with them."""

    def __init__(self, jobs: MemoryJobs) -> None:
        self._jobs = jobs
        self._workers: dict[str, WorkerBeat] = {}

    # --- what there is ---

    async def find(self, query: JobQuery, /) -> Sequence[JobRecord]:
        """Return the jobs that are meant, the newest first."""
        return [job.as_record() for job in self._meant(query)[: query.limit]]

    async def count(self, query: JobQuery, /) -> int:
        """Return how many jobs are meant, whatever `limit` says."""
        return len(self._meant(query))

    async def batch(self, uid: str, /) -> BatchRecord | None:
        """Return how far a batch is."""
        return self._jobs.batches.record(uid)

    async def stats(self) -> Sequence[QueueStats]:
        """Return what waits and runs, by queue."""
        queues: defaultdict[str, list[MemoryJob]] = defaultdict(list)
        for queue in self._jobs.paused:
            queues[queue] = []
        for job in self._jobs:
            queues[job.envelope.queue].append(job)
        now = self._jobs.clock.now()
        return [
            _stats(queue, jobs, now, paused=queue in self._jobs.paused)
            for queue, jobs in sorted(queues.items())
        ]

    # --- what is done with them ---

    async def retry(self, query: JobQuery, /) -> int:
        """Make dead and cancelled jobs due now."""
        return self._each(query, (JobState.DEAD, JobState.CANCELLED), self._jobs.begin_again)

    async def cancel(self, query: JobQuery, /) -> int:
        """Cancel jobs that wait, and ask the workers of running ones to."""
        return self._each(query, (*_WAITS, JobState.RUNNING), self._cancel)

    async def discard(self, query: JobQuery, /) -> int:
        """Forget jobs that do not run."""
        states = tuple(state for state in JobState if state is not JobState.RUNNING)
        return self._each(query, states, self._jobs.discard)

    async def pause(self, queue: str, /) -> None:
        """Let no worker take jobs from a queue until it is resumed."""
        self._jobs.paused.add(queue)

    async def resume(self, queue: str, /) -> None:
        """Let workers take jobs from a queue again."""
        self._jobs.paused.discard(queue)
        self._jobs.wake()

    def _cancel(self, job: MemoryJob) -> None:
        if job.state is JobState.RUNNING:
            job.cancelling = True
        else:
            self._jobs.end(job, JobState.CANCELLED)

    def _each(
        self, query: JobQuery, states: Sequence[JobState], act: Callable[[MemoryJob], None]
    ) -> int:
        found = [job for job in self._meant(query) if job.state in states][: query.limit]
        for job in reversed(found):  # so that those that are due now are so in their order
            act(job)
        return len(found)

    def _meant(self, query: JobQuery) -> list[MemoryJob]:
        return [job for job in self._jobs if job.is_meant_by(query)][::-1]

    # --- workers ---

    async def workers(self) -> Sequence[WorkerBeat]:
        """Return the workers that have been heard of lately."""
        now = self._jobs.clock.now()
        ages = {beat: now - (beat.beat_at or now) for beat in self._workers.values()}
        return [
            replace(beat, alive=age <= ALIVE) for beat, age in ages.items() if age <= REMEMBERED
        ]

    def heard(self, beat: WorkerBeat) -> None:
        """Note what a worker says of itself."""
        self._workers[beat.worker_id] = replace(beat, beat_at=self._jobs.clock.now())

    def left(self, worker_id: str) -> None:
        """Forget a worker that has ended."""
        self._workers.pop(worker_id, None)


def _stats(queue: str, jobs: Sequence[MemoryJob], now: datetime, *, paused: bool) -> QueueStats:
    states = Counter(job.state for job in jobs)
    due = [job.run_at for job in jobs if job.state is JobState.READY and job.run_at <= now]
    minute = now - timedelta(minutes=1)
    return QueueStats(
        queue=queue,
        ready=len(due),
        scheduled=states[JobState.READY] - len(due),
        held=states[JobState.HELD],
        running=states[JobState.RUNNING],
        done=states[JobState.DONE],
        dead=states[JobState.DEAD],
        cancelled=states[JobState.CANCELLED],
        oldest_ready_s=(now - min(due)).total_seconds() if due else None,
        done_a_minute=sum(
            job.state is JobState.DONE and job.finished_at is not None and job.finished_at > minute
            for job in jobs
        ),
        paused=paused,
    )
