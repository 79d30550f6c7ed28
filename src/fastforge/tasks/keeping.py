"""Keeping: the leases of a worker are renewed, and it says that it is there."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Collection
from datetime import UTC, datetime

from .. import __version__
from .backend import Claim, Renewal, TaskBackend
from .control import ConsumerOptions
from .gauges import JobMeter
from .records import WorkerBeat
from .trouble import Trouble, backoff

__all__ = ["Keeper"]


class Keeper:
    """Renews leases and beats, five times in the time of a lease.

    Args:
        backend: Where the jobs are.
        worker_id: The worker.
        options: How it works.
        trouble: Told about every failure and success.
        held: Gives all that the worker holds.
        renewed: Told what each renewal found.
        meter: Told of each renewal.
    """

    def __init__(
        self,
        backend: TaskBackend,
        worker_id: str,
        options: ConsumerOptions,
        trouble: Trouble,
        held: Callable[[], Collection[Claim]],
        renewed: Callable[[Renewal], None],
        meter: JobMeter,
    ) -> None:
        self._backend = backend
        self._worker_id = worker_id
        self._options = options
        self._trouble = trouble
        self._held = held
        self._renewed = renewed
        self._meter = meter
        self._started_at = datetime.now(UTC)
        self._pauses = backoff()

    async def run(self) -> None:
        """Renew and beat until cancelled."""
        every_s = self._options.beat_s
        while True:
            if await self._renew() and await self._beat():
                self._pauses.reset()
                pause_s = every_s
            else:
                pause_s = min(self._pauses.next_s(), every_s)
            await asyncio.sleep(pause_s)

    async def _renew(self) -> bool:
        try:
            renewal = await self._backend.renew(
                self._worker_id, self._held(), lease_s=self._options.held_s
            )
        except Exception as error:
            self._trouble.failed("renew", error)
            return False
        self._trouble.succeeded("renew")
        self._meter.beat()
        self._renewed(renewal)
        return True

    async def _beat(self) -> bool:
        beat = WorkerBeat(
            worker_id=self._worker_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            queues=self._options.queues,
            concurrency=self._options.concurrency,
            running=len(self._held()),
            version=__version__,
            started_at=self._started_at,
        )
        try:
            await self._backend.beat(beat)
        except Exception as error:
            self._trouble.failed("beat", error)
            return False
        self._trouble.succeeded("beat")
        return True
