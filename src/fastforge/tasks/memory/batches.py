"""MemoryBatches: how many jobs of each batch have not ended, and what comes then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..backend import NewBatch
from ..envelope import Envelope
from ..records import BatchRecord

__all__ = ["MemoryBatches"]


@dataclass(slots=True)
class _Batch:
    then: Envelope | None
    total: int = 0
    pending: int = 0
    failed: int = 0


class MemoryBatches:
    """The batches. What comes then is told once, by whatever brings the last job to its end."""

    def __init__(self) -> None:
        self._batches: dict[str, _Batch] = {}

    def open(self, batch: NewBatch) -> None:
        """Begin a batch that has no jobs yet."""
        self._batches[batch.uid] = _Batch(batch.then)

    def add(self, uid: str | None) -> None:
        """Count a job that is new in a batch."""
        if batch := self._find(uid):
            batch.total += 1
            batch.pending += 1

    def end(self, uid: str | None, *, failed: bool) -> Iterator[Envelope]:
        """Count a job that has ended, and yield what comes then when it was the last."""
        if batch := self._find(uid):
            batch.pending -= 1
            batch.failed += failed
            yield from self.finish(uid)

    def begin_again(self, uid: str | None) -> None:
        """Count a failed job as one that has not ended."""
        if batch := self._find(uid):
            batch.pending += 1
            batch.failed -= 1

    def finish(self, uid: str | None) -> Iterator[Envelope]:
        """Yield what comes when a batch is over, if it is and that has not been told."""
        batch = self._find(uid)
        if batch is not None and batch.pending == 0 and batch.then is not None:
            then, batch.then = batch.then, None
            yield then

    def record(self, uid: str) -> BatchRecord | None:
        """Return how far a batch is."""
        batch = self._find(uid)
        if batch is None:
            return None
        return BatchRecord(uid=uid, total=batch.total, pending=batch.pending, failed=batch.failed)

    def _find(self, uid: str | None) -> _Batch | None:
        return None if uid is None else self._batches.get(uid)
