"""Batch: jobs that were enqueued together, as whoever enqueued them sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from .._utils import counted
from ..lifecycle import current_container
from .backend import backend_of
from .ends import JobUnfinished, JobUnknown
from .handles import JobHandle
from .records import BatchRecord
from .waiting import look_until

__all__ = ["Batch"]

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Generic[R_co]):
    """Jobs that were enqueued together.

    ```python
    batch = await resize.enqueue_many(resize.call(path) for path in paths)
    record = await batch.wait(timeout_s=60)
    assert record.failed == 0
    ```

    Args:
        uid: Its id, unique everywhere.
        handles: Its jobs, in the order of the calls.
    """

    uid: str
    handles: tuple[JobHandle[R_co], ...] = ()

    async def record(self) -> BatchRecord:
        """Return how far it is.

        Raises:
            JobUnknown: There is no such batch (any more).
        """
        if not self.handles:  # no backend was told of it
            return BatchRecord(uid=self.uid, total=0, pending=0)
        record = await backend_of(current_container()).desk.batch(self.uid)
        if record is None:
            raise JobUnknown(
                f"there is no batch {self.uid}",
                code="tasks.E030",
                hint="it is there once its transaction has committed, and for a time after its end",
            )
        return record

    async def wait(self, timeout_s: float | None = None) -> BatchRecord:
        """Wait until all its jobs have ended, well or not, and return how they did.

        The results are with the handles: `[await handle.result() for handle in batch.handles]`.

        Args:
            timeout_s: How long to wait, in seconds; None for as long as it takes.

        Raises:
            JobUnfinished: The time is over; also a TimeoutError.
            JobUnknown: There is no such batch (any more).
        """
        record = await look_until(self.record, _is_over, timeout_s=timeout_s)
        if _is_over(record):
            return record
        verb = "has" if record.pending == 1 else "have"
        raise JobUnfinished(
            f"the batch {self.uid} has not ended after {timeout_s:g} s:"
            f" {record.pending} of its {counted(record.total, 'job')} {verb} not",
            code="tasks.E031",
            hint="wait longer, or look at its jobs: batch.handles",
        )


def _is_over(record: BatchRecord) -> bool:
    return record.pending == 0
