"""Processes: those of one project, started when they are needed and used again."""

from __future__ import annotations

import asyncio

from ..observability.context import request_id
from .call import Call
from .sending import receive
from .worker import Worker

__all__ = ["Processes"]


class Processes:
    """Processes that run functions. How many at the same time is for whoever asks."""

    def __init__(self) -> None:
        self._live: set[Worker] = set()
        self._idle: list[Worker] = []

    def __len__(self) -> int:
        return len(self._live)

    async def run(self, call: Call, request: bytes) -> None:
        """Run a call to its end. A cancelled one takes its process with it.

        Raises:
            OffloadCrashed: The process ended before it answered.
        """
        worker = self._take() or await self._start()
        try:
            answer = await worker.ask(call, request, request_id.get() or "")
        except BaseException:
            self._live.discard(worker)
            await _gone(worker)
            raise
        self._idle.append(worker)
        receive(call, answer)

    async def close(self) -> None:
        """End all processes."""
        workers, self._idle = tuple(self._live), []
        self._live.clear()
        await asyncio.gather(*(worker.end() for worker in workers))

    def _take(self) -> Worker | None:
        """Return an idle process; those that somebody else has ended are forgotten."""
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            self._live.discard(worker)
        return None

    async def _start(self) -> Worker:
        worker = await Worker.start()
        self._live.add(worker)
        return worker


async def _gone(worker: Worker) -> None:
    """Wait until a process is gone, also when this task is cancelled; then be cancelled."""
    task = asyncio.create_task(worker.kill())
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
