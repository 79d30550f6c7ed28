"""Admission: whether a job that is due may begin, by its slots and by its pace."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from ..limits import Pace
from ..outcome import JobState
from .job import MemoryJob

__all__ = ["Admission"]

HORIZON: Final = timedelta(seconds=60)
"""How far ahead a pace gives turns. Who comes later asks again then."""


class Admission:
    """Holds back the jobs that may not begin yet.

    A job whose `slots` are all taken becomes HELD, and one whose turn comes later is due then:
    neither is looked at again by the next claim.
    """

    def __init__(self) -> None:
        self._next_turns: dict[str, datetime] = {}

    def admits(self, job: MemoryJob, jobs: Iterable[MemoryJob], now: datetime) -> bool:
        """Return whether a due job may begin; else let it wait for what it has to.

        Args:
            job: The job.
            jobs: All jobs.
            now: What time it is.
        """
        slots = job.envelope.slots
        if slots is not None and running(jobs, slots.key) >= slots.limit:
            job.state = JobState.HELD
            job.paced = False
            return False
        pace = job.envelope.pace
        if pace is not None and not job.paced:
            self._pace(job, pace, now)
        return job.run_at <= now

    def _pace(self, job: MemoryJob, pace: Pace, now: datetime) -> None:
        turn = max(now, self._next_turns.get(pace.key, now))
        if turn > now + HORIZON:
            job.run_at = now + HORIZON
            return
        self._next_turns[pace.key] = turn + timedelta(seconds=pace.per_s / pace.limit)
        if turn > now:
            job.run_at, job.paced = turn, True


def running(jobs: Iterable[MemoryJob], slots_key: str) -> int:
    """Return how many jobs with a key run."""
    return sum(job.state is JobState.RUNNING and job.slots_key == slots_key for job in jobs)
