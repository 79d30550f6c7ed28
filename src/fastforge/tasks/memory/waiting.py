"""WaitingForCommit: jobs that were enqueued in transactions which have not committed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from typing import Final
from weakref import WeakSet

from ...lifecycle import Transaction
from ..backend import Enqueued, NewBatch
from ..envelope import Envelope
from .jobs import MemoryJobs

__all__ = ["WaitingForCommit"]

PAUSE_S: Final = 0.005
LONGEST_S: Final = 5.0
"""For how long a transaction is waited for: as long as a database waits for a lock."""


class WaitingForCommit:
    """Keeps jobs when their transaction commits. Of one that rolls back nothing is left.

    A unique key that an open transaction wants is waited for by whoever else wants it, as in a
    database: until it is known whether the first one commits.
    """

    def __init__(self, jobs: MemoryJobs) -> None:
        self._jobs = jobs
        # Weak: a transaction that rolls back forgets what it was to call, and so do we.
        self._parts: WeakSet[_Part] = WeakSet()

    async def until_free(
        self, envelopes: Sequence[Envelope], transaction: Transaction | None
    ) -> None:
        """Wait while other transactions may yet take the unique keys of jobs; not for ever.

        When two wait for each other, one of them is given a job that may not come to be.
        """
        keys = {each.unique.key for each in envelopes if each.unique is not None}
        until = time.monotonic() + LONGEST_S
        # No event: what ends it may run in the thread of another event loop.
        while (  # noqa: ASYNC110
            keys and self._is_wanted(keys, transaction) and time.monotonic() < until
        ):
            await asyncio.sleep(PAUSE_S)

    def _is_wanted(self, keys: Collection[str], transaction: Transaction | None) -> bool:
        others = [part for part in self._parts if part.transaction is not transaction]
        return any(part.holders.keys() & keys for part in others)

    def add(
        self, transaction: Transaction, envelopes: Sequence[Envelope], batch: NewBatch | None
    ) -> list[Enqueued]:
        """Keep jobs, and their batch, once a transaction commits."""
        part = _Part(self._jobs, transaction, batch)
        self._parts.add(part)
        enqueued = [self._add_one(part, each) for each in envelopes]
        transaction.on_commit(part.keep)
        return enqueued

    def _add_one(self, part: _Part, envelope: Envelope) -> Enqueued:
        holder = self._jobs.holder(envelope) or self._holder(envelope)
        if holder is not None:
            return Enqueued(uid=holder, is_new=False)
        part.envelopes.append(envelope)
        return Enqueued(uid=envelope.uid)

    def _holder(self, envelope: Envelope) -> str | None:
        if envelope.unique is None:
            return None
        found = (part.holders.get(envelope.unique.key) for part in self._parts)
        return next((uid for uid in found if uid is not None), None)


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

    @property
    def holders(self) -> dict[str, str]:
        """The unique keys that the jobs will take, and the jobs."""
        return {each.unique.key: each.uid for each in self.envelopes if each.unique is not None}
