"""WaitingForCommit: jobs that were enqueued in transactions which have not committed."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakSet

from ...lifecycle import Transaction
from ..backend import Enqueued, NewBatch
from ..envelope import Envelope
from .jobs import MemoryJobs

__all__ = ["WaitingForCommit"]


class WaitingForCommit:
    """Keeps jobs when their transaction commits. Of one that rolls back nothing is left.

    Surprises: a unique key is taken at the commit. A job whose key another transaction has taken
    by then is not kept; in a database that transaction would have been waited for.
    """

    def __init__(self, jobs: MemoryJobs) -> None:
        self._jobs = jobs
        # Weak: a transaction that rolls back forgets what it was to call, and so do we.
        self._parts: WeakSet[_Part] = WeakSet()

    def add(
        self, transaction: Transaction, envelopes: Sequence[Envelope], batch: NewBatch | None
    ) -> list[Enqueued]:
        """Keep jobs, and their batch, once a transaction commits."""
        part = _Part(self._jobs, transaction, batch)
        self._parts.add(part)
        enqueued = [self._add_one(part, envelope) for envelope in envelopes]
        transaction.on_commit(part.keep)
        return enqueued

    def _add_one(self, part: _Part, envelope: Envelope) -> Enqueued:
        holder = self._jobs.holder(envelope) or self._holder_within(part.transaction, envelope)
        if holder is not None:
            return Enqueued(uid=holder, is_new=False)
        part.envelopes.append(envelope)
        return Enqueued(uid=envelope.uid)

    def _holder_within(self, transaction: Transaction, envelope: Envelope) -> str | None:
        if envelope.unique is None:
            return None
        for part in self._parts:
            for other in part.envelopes if part.transaction is transaction else ():
                if other.unique is not None and other.unique.key == envelope.unique.key:
                    return other.uid
        return None


class _Part:
    """What one call has enqueued in a transaction."""

    def __init__(self, jobs: MemoryJobs, transaction: Transaction, batch: NewBatch | None) -> None:
        self.transaction = transaction
        self.envelopes: list[Envelope] = []
        self._jobs = jobs
        self._batch = batch

    def keep(self) -> None:
        """Keep the jobs."""
        kept, self.envelopes = self.envelopes, []
        self._jobs.keep(kept, self._batch)
