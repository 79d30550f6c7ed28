"""Pool: the processes of a worker's isolated jobs, kept warm and used again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from ...lifecycle import Container
from ..backend import Claim
from ..kinds import TASKS
from ..outcome import Outcome
from ..progress import ProgressBox
from ..settings import Tasks
from .errors import timed_out
from .process import IsolatedProcess

__all__ = ["Isolation"]

IDLE_S: Final = 60.0
"""How long a process without a job is kept."""
JOBS_EACH: Final = 100
"""After so many jobs a process is replaced: whatever they have leaked goes with it."""


class Isolation:
    """Runs attempts in at most `limit` processes.

    A job that waits for one has its place among the jobs of its worker meanwhile, and its time
    limit has not begun.

    Args:
        settings_module: The dotted name of the settings that each process loads.
        limit: How many processes there are at most.
    """

    def __init__(self, settings_module: str, limit: int) -> None:
        self._settings_module = settings_module
        self._places = asyncio.Semaphore(limit)
        self._idle: dict[IsolatedProcess, asyncio.TimerHandle] = {}
        self._endings: set[asyncio.Task[None]] = set()

    @classmethod
    def of(cls, container: Container) -> Isolation | None:
        """Return that of a running project; None when none of its tasks is isolated."""
        if not any(task.isolate for task in container.registry.values(TASKS)):
            return None
        limit = container.settings.section(Tasks).isolated_processes
        return cls(container.settings.module, limit)

    async def run(self, claim: Claim, progress: ProgressBox, *, timeout_s: float | None) -> Outcome:
        """Run one attempt. Whoever is cancelled meanwhile waits until its process is gone.

        Args:
            claim: The attempt.
            progress: Where it says how far it is.
            timeout_s: How long it may take, in seconds, once its process is there.

        Raises:
            TaskError: The process could not start, or ended before the attempt did.
            TimeoutError: It took too long, and its process was ended.
        """
        async with self._places, self._process() as process:
            limit = asyncio.timeout(timeout_s)
            try:
                async with limit:
                    return await process.run(claim, progress)
            except TimeoutError:
                if timeout_s is not None and limit.expired():
                    raise timed_out(timeout_s) from None
                raise

    async def close(self) -> None:
        """End all processes; those with a job are ended by whoever cancels it."""
        for process in tuple(self._idle):
            self._retire(process)
        if self._endings:
            await asyncio.wait(self._endings)

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[IsolatedProcess]:
        process = self._idle_process() or await IsolatedProcess.start(self._settings_module)
        try:
            if process.jobs == 0:
                await process.wait_until_ready()
            yield process
        finally:
            if process.is_usable and process.jobs < JOBS_EACH:
                loop = asyncio.get_running_loop()
                self._idle[process] = loop.call_later(IDLE_S, self._retire, process)
            else:
                await self._end(process)

    def _idle_process(self) -> IsolatedProcess | None:
        while self._idle:
            process, timer = self._idle.popitem()
            timer.cancel()
            if process.is_usable:
                return process
            self._begin_end(process)  # somebody else has ended it
        return None

    def _retire(self, process: IsolatedProcess) -> None:
        self._idle.pop(process).cancel()
        self._begin_end(process)

    def _begin_end(self, process: IsolatedProcess) -> None:
        ending = asyncio.create_task(process.end())
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _end(self, process: IsolatedProcess) -> None:
        """End a process also when whoever waits for that is cancelled once more."""
        self._begin_end(process)
        await asyncio.shield(asyncio.gather(*self._endings))
