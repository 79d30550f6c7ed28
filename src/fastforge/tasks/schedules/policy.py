"""Policy: which of the times that have passed are entered, and which of these get a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .schedule import CatchUp

__all__ = ["MISSED_AFTER", "MOST_CAUGHT_UP", "Passed", "passed_times"]

MOST_CAUGHT_UP: Final = 1000
"""How many missed times "all" enqueues at most, the last ones."""
MISSED_AFTER: Final = timedelta(minutes=1)
"""A time that nobody has entered for so long is missed; until then it is only late."""

NextAfter = Callable[[datetime], datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A time that is to be entered.

    Args:
        due_at: The time.
        has_job: Whether a job is enqueued for it.
    """

    due_at: datetime
    has_job: bool = True


def passed_times(
    next_after: NextAfter, policy: CatchUp, since: datetime, now: datetime
) -> list[Passed]:
    """Return what is to be entered of the times that have passed, in order.

    Args:
        next_after: Gives the next time after a moment.
        policy: What becomes of those that were missed.
        since: The last time that is entered already.
        now: The present.
    """
    if policy == "all":
        return [Passed(due_at=due) for due in _last(next_after, since, now, MOST_CAUGHT_UP)]
    last = _last(next_after, since, now, 1)
    # Entered also where it is missed for good, so that nobody looks at it again.
    return [
        Passed(due_at=due, has_job=policy == "latest" or now - due < MISSED_AFTER) for due in last
    ]


def _last(next_after: NextAfter, since: datetime, now: datetime, count: int) -> list[datetime]:
    """Return the last times in (since, now].

    A schedule can have been away for a year: it is looked back ever further, not from `since`.
    """
    back = timedelta(minutes=1)
    while True:
        begin = max(since, now - back)
        times = _between(next_after, begin, now)
        if len(times) >= count or begin == since:
            return times[-count:]
        back *= 2


def _between(next_after: NextAfter, begin: datetime, end: datetime) -> list[datetime]:
    times = []
    due = next_after(begin)
    while due is not None and due <= end:
        times.append(due)
        due = next_after(due)
    return times
