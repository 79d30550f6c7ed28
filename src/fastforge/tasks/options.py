"""Options: what a caller says about one job beside its arguments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from typing import Any, Final

from .._utils import calling_line
from ..exceptions import TaskError
from .limits import Unique

__all__ = ["Options", "check_priority", "check_queue", "meant_queue"]

LONGEST_DELAY: Final = timedelta(days=36_500)
PRIORITIES: Final = range(-32_768, 32_768)
"""What a column of the type `smallint` holds."""
LIKENESS: Final = 0.85
"""How alike a name is to the one that was meant: that of one wrong letter among seven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `task.using(...)` has been given; None stands for what the task says.

    Args:
        queue: The queue that the job waits in.
        delay: How long after its enqueueing it is due; a number is in seconds.
        run_at: When it is due, with a time zone.
        priority: Smaller runs first.
        unique: Whether, and by what, it may be enqueued only once.
        expires: How long after its enqueueing, or until which moment, it may begin.

    Raises:
        TaskError: A value is none of those, or two of them exclude each other.
    """

    queue: str | None = None
    delay: timedelta | float | None = None
    run_at: datetime | None = None
    priority: int | None = None
    unique: bool | Unique | None = None
    expires: timedelta | datetime | None = None

    def __post_init__(self) -> None:
        if self.queue is not None:
            check_queue(self.queue)
        if self.priority is not None:
            check_priority(self.priority)
        _check_moment("run_at", self.run_at)
        _check_delay(self.delay, self.run_at)
        if not isinstance(self.expires, timedelta):
            _check_moment("expires", self.expires)
        self.expires_at(datetime.now(UTC))

    @property
    def delay_s(self) -> float:
        """How long after its enqueueing the job is due, in seconds."""
        delay = self.delay or 0
        return delay.total_seconds() if isinstance(delay, timedelta) else delay

    def expires_at(self, now: datetime) -> datetime | None:
        """Return the moment from which on the job may not begin any more.

        Args:
            now: When it is enqueued.

        Raises:
            TaskError: It is over already, or before the job is due.
        """
        expires = self.expires
        if expires is None:
            return None
        if isinstance(expires, timedelta):
            expires_at = now + min(expires, LONGEST_DELAY)
        else:
            expires_at = expires
        due_at = self.run_at or now + timedelta(seconds=self.delay_s)
        if expires_at > max(now, due_at):
            return expires_at
        raise TaskError(
            f"expires={expires!r} is over at {expires_at.isoformat()}; the job is enqueued at"
            f" {now.isoformat()} and due at {due_at.isoformat()}, so it would never begin",
            code="tasks.E026",
            hint="give a moment after that; a timedelta counts from the enqueueing on",
            where=calling_line(),
        )

    def over(self, others: Options) -> Options:
        """Return these options, completed by others."""
        names = (field.name for field in fields(self))
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        if not given:
            return others
        if "delay" in given or "run_at" in given:  # the one takes the place of the other
            others = replace(others, delay=None, run_at=None)
        return replace(others, **given)


def check_priority(priority: Any) -> None:
    """Refuse what no backend can keep as a priority.

    Raises:
        TaskError: It is no whole number, or too large.
    """
    if isinstance(priority, bool) or priority not in PRIORITIES:
        raise TaskError(
            f"priority={priority!r} is no whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}",
            code="tasks.E022",
            hint="smaller runs first, and 0 is usual",
            where=calling_line(),
        )


def check_queue(queue: Any) -> None:
    """Refuse what `runworker --queues` could not name.

    Raises:
        TaskError: It is no text, or empty, or has a comma, a colon or a space in it.
    """
    if not isinstance(queue, str) or not queue or any(sign in queue for sign in ",: \t\n"):
        raise TaskError(
            f"queue={queue!r} is no name of a queue",
            code="tasks.E027",
            hint="give a word without commas, colons and spaces",
            where=calling_line(),
        )


def meant_queue(queue: str, known: Iterable[str]) -> str | None:
    """Return the queue that somebody who named an unknown one has clearly meant, or None.

    Names of queues are free, and `mail-2` beside `mail-1` is no mistake: the two have to begin
    alike, and to differ in letters alone.
    """
    for name in known:
        alike = SequenceMatcher(None, queue, name).ratio() >= LIKENESS
        swapped = sorted(queue) == sorted(name)
        if queue[:1] == name[:1] and _others(queue) == _others(name) and (alike or swapped):
            return name
    return None


def _others(name: str) -> str:
    """Return what is no letter."""
    return "".join(sign for sign in name if not sign.isalpha())


def _check_delay(delay: Any, run_at: object) -> None:
    if delay is None:
        return
    if run_at is not None:
        raise TaskError(
            f"delay={delay!r} and run_at={run_at!r} both say when the job is due",
            code="tasks.E024",
            hint="give one of them",
            where=calling_line(),
        )
    if isinstance(delay, timedelta):
        fits = timedelta() <= delay <= LONGEST_DELAY
    else:
        is_number = isinstance(delay, int | float) and not isinstance(delay, bool)
        fits = is_number and 0 <= delay <= LONGEST_DELAY.total_seconds()
    if not fits:
        raise TaskError(
            f"delay={delay!r} is no time from now on",
            code="tasks.E025",
            hint="give a timedelta or a number of seconds: 0 or more, at most 100 years",
            where=calling_line(),
        )


def _check_moment(name: str, moment: object) -> None:
    if moment is None or (isinstance(moment, datetime) and moment.utcoffset() is not None):
        return
    fault = "has no time zone" if isinstance(moment, datetime) else "is no moment"
    raise TaskError(
        f"{name}={moment!r} {fault}",
        code="tasks.E023",
        hint="give a datetime with a zone: datetime.now(UTC), or datetime(..., tzinfo=...)",
        where=calling_line(),
    )
