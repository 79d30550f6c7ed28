"""Attending: what running jobs say of themselves is passed on, and cancelled ones are cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Final

from .backend import BackendAway, TaskBackend
from .runs import Ending, Runs
from .trouble import Trouble, backoff

__all__ = ["Attendant"]

logger = logging.getLogger("fastforge.tasks")

ATTEND_S: Final = 0.5
"""How often the backend is told and asked while jobs run, in seconds."""


class Attendant:
    """Passes progress on and cancels what somebody wants cancelled, while jobs run.

    Args:
        backend: Where the jobs are.
        worker_id: The worker.
        runs: The jobs that run.
        trouble: Told about every failure and success.
    """

    def __init__(self, backend: TaskBackend, worker_id: str, runs: Runs, trouble: Trouble) -> None:
        self._backend = backend
        self._worker_id = worker_id
        self._runs = runs
        self._trouble = trouble
        self._pauses = backoff()

    async def run(self) -> None:
        """Attend to the jobs until cancelled. While none runs nothing is asked.

        Except in trouble: whether that is over has to be found out.
        """
        while True:
            if "attend" not in self._trouble:
                await self._runs.some.wait()
            await asyncio.sleep(ATTEND_S)
            is_needed = len(self._runs) or "attend" in self._trouble
            if is_needed and not await self._attend():
                await asyncio.sleep(self._pauses.next_s())

    async def _attend(self) -> bool:
        reports = {run: run.progress.news for run in self._runs}
        news = {run.claim: said for run, said in reports.items() if said is not None}
        try:
            wanted = await self._backend.attend(self._worker_id, news)
        except Exception as error:
            self._trouble.failed("attend", error)
            if isinstance(error, BackendAway):
                return False
            wanted = ()  # what was said may be what cannot be recorded: it is not tried again
        else:
            self._trouble.succeeded("attend")
            self._pauses.reset()
        for run, said in reports.items():
            if said is not None:
                run.progress.passed_on = said
        self._cancel(wanted)
        return True

    def _cancel(self, wanted: Collection[str]) -> None:
        for run in self._runs if wanted else ():
            if run.claim.envelope.uid in wanted and run.end(Ending.CANCELLED):
                envelope = run.claim.envelope
                logger.info("job %s of %s is being cancelled", envelope.uid, envelope.task)
