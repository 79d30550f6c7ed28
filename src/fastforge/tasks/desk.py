"""Desk: what an operator, a handle and the command line ask of a backend and tell it to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .records import BatchRecord, JobQuery, JobRecord, QueueStats, WorkerBeat

__all__ = ["JobDesk"]


class JobDesk(Protocol):
    """What a backend tells of its jobs, and does with them when asked from outside."""

    async def find(self, query: JobQuery, /) -> Sequence[JobRecord]:
        """Return the jobs that are meant, the newest first."""
        ...

    async def count(self, query: JobQuery, /) -> int:
        """Return how many jobs are meant, whatever `limit` says."""
        ...

    async def retry(self, query: JobQuery, /) -> int:
        """Make dead and cancelled jobs due now, with all their attempts; return how many."""
        ...

    async def cancel(self, query: JobQuery, /) -> int:
        """Cancel jobs that wait, and ask the workers of running ones to; return how many."""
        ...

    async def discard(self, query: JobQuery, /) -> int:
        """Forget jobs that do not run, as if they had never been; return how many."""
        ...

    async def pause(self, queue: str, /) -> None:
        """Let no worker take jobs from a queue until it is resumed."""
        ...

    async def resume(self, queue: str, /) -> None:
        """Let workers take jobs from a queue again."""
        ...

    async def stats(self) -> Sequence[QueueStats]:
        """Return what waits and runs, by queue."""
        ...

    async def batch(self, uid: str, /) -> BatchRecord | None:
        """Return how far a batch is; None when there is no such batch (any more)."""
        ...

    async def workers(self) -> Sequence[WorkerBeat]:
        """Return the workers that have been heard of lately."""
        ...
