"""MemoryLedger: which runs of the schedules have been enqueued in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ..envelope import Envelope
from ..ledger import ScheduledRun
from .jobs import MemoryJobs

__all__ = ["MemoryLedger"]


class MemoryLedger:
    """Remembers every due time; they are few in the life of a test."""

    def __init__(self, jobs: MemoryJobs) -> None:
        self._jobs = jobs
        self._runs: dict[tuple[str, datetime], ScheduledRun] = {}

    async def latest(self, schedules: Sequence[str], /) -> Mapping[str, ScheduledRun]:
        """Return the last run that was entered of each schedule that has one."""
        found: dict[str, ScheduledRun] = {}
        for run in sorted(self._runs.values(), key=lambda run: run.due_at):
            if run.schedule in schedules:
                found[run.schedule] = run
        return found

    async def enter(self, run: ScheduledRun, envelope: Envelope | None, /) -> bool:
        """Enter a due time and enqueue its job, both or none."""
        key = (run.schedule, run.due_at)
        if key in self._runs:
            return False
        kept = self._jobs.keep(() if envelope is None else (envelope,), None)
        uid = next((each.uid for each in kept if each.is_new), None)
        self._runs[key] = replace(run, uid=uid)
        return True
