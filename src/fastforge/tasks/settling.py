"""Settling: how attempts ended is recorded in batches, and again until the backend has it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from .backend import BackendAway, Claim, Settlement, TaskBackend
from .trouble import Trouble, backoff

__all__ = ["Settler"]

logger = logging.getLogger("fastforge.tasks")

BATCH: Final = 500


class Settler:
    """Collects what ended while the last batch was written, and writes it as the next one.

    A batch that is written twice does no harm: an attempt that is settled is not held any more.

    Args:
        backend: Where the settlements go.
        worker_id: The worker that holds the attempts.
        trouble: Told about every failure and success.
        settled: Called after every batch, with what the backend has recorded of it.
    """

    def __init__(
        self,
        backend: TaskBackend,
        worker_id: str,
        trouble: Trouble,
        settled: Callable[[Sequence[Settlement]], None],
    ) -> None:
        self._backend = backend
        self._worker_id = worker_id
        self._trouble = trouble
        self._settled = settled
        self._pending: dict[Claim, tuple[Settlement, float]] = {}
        self._added = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pauses = backoff()
        self._batch = BATCH

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, settlement: Settlement) -> None:
        """Record a settlement as soon as possible."""
        self._pending[settlement.claim] = (settlement, time.monotonic())
        self._idle.clear()
        self._added.set()

    def pending(self, *, younger_than_s: float) -> Iterator[Claim]:
        """Yield the claims that wait for their record and ended not longer ago than that."""
        since = time.monotonic() - younger_than_s
        return (claim for claim, (_, ended) in self._pending.items() if ended > since)

    async def wait_until_idle(self) -> None:
        """Return when everything is recorded."""
        await self._idle.wait()

    async def run(self) -> None:
        """Record settlements until cancelled."""
        while True:
            await self._added.wait()
            self._added.clear()
            while self._pending:
                await self._write()
            self._idle.set()

    async def _write(self) -> None:
        batch = [settlement for settlement, _ in list(self._pending.values())[: self._batch]]
        try:
            await self._backend.settle(self._worker_id, batch)
        except BackendAway as error:
            self._trouble.failed("settle", error)
            await asyncio.sleep(self._pauses.next_s())
        except Exception as error:
            self._isolate(batch, error)
        else:
            self._trouble.succeeded("settle")
            self._pauses.reset()
            self._forget(batch)
            self._settled(batch)

    def _isolate(self, batch: list[Settlement], error: Exception) -> None:
        """Find the settlement that cannot be written, and give it up: its lease will end."""
        if len(batch) > 1:
            self._batch = 1
            return
        self._batch = BATCH
        logger.error(
            "how job %s ended cannot be recorded; it runs again when its lease ends",
            batch[0].claim.envelope.uid,
            exc_info=error,
        )
        # It was reached, whatever was the matter before: else nothing would be claimed any more.
        self._trouble.succeeded("settle")
        self._forget(batch)
        self._settled(())

    def _forget(self, batch: list[Settlement]) -> None:
        for settlement in batch:
            del self._pending[settlement.claim]
        if not self._pending:
            self._batch = BATCH
