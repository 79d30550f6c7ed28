"""Ledger: which runs of the schedules have been enqueued, so that each is enqueued once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .envelope import Envelope

__all__ = ["ScheduleLedger", "ScheduledRun"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledRun:
    """One due time of a schedule.

    Args:
        schedule: Its name.
        due_at: The moment, in UTC.
        uid: The job that it became; None where none was enqueued: the overlap policy skipped it,
            or a new schedule is noted from here on.
    """

    schedule: str
    due_at: datetime
    uid: str | None = None


class ScheduleLedger(Protocol):
    """Remembers the due times of schedules. Each is entered once, whoever else is trying."""

    async def latest(self, schedules: Sequence[str], /) -> Mapping[str, ScheduledRun]:
        """Return the last run that was entered of each schedule that has one."""
        ...

    async def enter(self, run: ScheduledRun, envelope: Envelope | None, /) -> bool:
        """Enter a due time and enqueue its job, both or none.

        An envelope whose unique key is taken is not enqueued, as ever: the due time is entered
        with the uid None.

        Returns:
            Whether it is entered by this call; else another worker has done so before.
        """
        ...
