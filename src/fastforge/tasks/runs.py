"""Runs: the jobs that run in this process at present."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from enum import Enum, auto

from .backend import Claim
from .outcome import Outcome
from .progress import ProgressBox

__all__ = ["Ending", "Run", "Runs"]


class Ending(Enum):
    """Why the worker itself ends a job."""

    CANCELLED = auto()
    """Somebody has asked for it."""
    INTERRUPTED = auto()
    """The worker is stopping."""
    LOST = auto()
    """Another worker holds it by now."""


class Run:
    """A job that runs in this process.

    Attributes:
        claim: The attempt.
        task: What runs it.
        progress: Where it says how far it is.
        ending: Why the worker has ended it; None while it may go on.
        late_s: How long the job had been due when it began, in seconds, if that is known.
    """

    __slots__ = ("_began_at", "claim", "ending", "late_s", "progress", "task")

    def __init__(self, claim: Claim, task: asyncio.Task[Outcome], progress: ProgressBox) -> None:
        self.claim = claim
        self.task = task
        self.progress = progress
        self.ending: Ending | None = None
        self.late_s: float | None = None
        self._began_at = time.monotonic()

    @property
    def duration_s(self) -> float:
        """How long it has been running, in seconds."""
        return time.monotonic() - self._began_at

    def end(self, why: Ending) -> bool:
        """Cancel it; return whether it was not cancelled for that reason before.

        The first reason counts, except that what is lost is lost.
        """
        if why is self.ending:
            return False
        if self.ending is None or why is Ending.LOST:
            self.ending = why
        self.task.cancel()
        return True


class Runs:
    """The jobs that run here, by their claims.

    Attributes:
        some: Set while any job runs.
    """

    def __init__(self) -> None:
        self.some = asyncio.Event()
        self._runs: dict[Claim, Run] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(tuple(self._runs.values()))

    @property
    def claims(self) -> list[Claim]:
        """Their claims."""
        return list(self._runs)

    def by_queue(self) -> Counter[str]:
        """Return how many run, by queue."""
        return Counter(claim.envelope.queue for claim in self._runs)

    def get(self, claim: Claim) -> Run | None:
        """Return the run of a claim, if it has not ended."""
        return self._runs.get(claim)

    def add(self, run: Run) -> None:
        """Note that a job runs."""
        self._runs[run.claim] = run
        self.some.set()

    def remove(self, run: Run) -> None:
        """Note that it has ended."""
        del self._runs[run.claim]
        if not self._runs:
            self.some.clear()
