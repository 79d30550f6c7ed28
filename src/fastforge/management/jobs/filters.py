"""Filters: which jobs somebody means, by the options that several commands have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final

from ...exceptions import CommandError
from ...tasks.outcome import JobState
from ...tasks.records import JobQuery
from .known import queues_meant, tasks_meant
from .moments import moment_of
from .office import Office

__all__ = [
    "WHOLE",
    "AllOption",
    "BatchOption",
    "Filter",
    "Ids",
    "LimitOption",
    "QueueOption",
    "SinceOption",
    "StateOption",
    "TaskOption",
    "UntilOption",
    "YesOption",
    "dashed",
    "is_whole",
]

Ids = Annotated[tuple[str, ...], "Ids of jobs, or what they begin with."]
TaskOption = Annotated[list[str], "Of this task; may be repeated."]
QueueOption = Annotated[list[str], "In this queue; may be repeated."]
StateOption = Annotated[list[JobState], "In this state; may be repeated."]
SinceOption = Annotated[str, "Enqueued since then: 2h ago, or a date, or a date and time."]
UntilOption = Annotated[str, "Enqueued before then."]
BatchOption = Annotated[str, "Of this batch."]
LimitOption = Annotated[int | None, "How many at most, the newest first."]
AllOption = Annotated[bool, "All of them, without a filter."]
YesOption = Annotated[bool, "Do it without asking."]

_HEX: Final = re.compile(r"[0-9a-f]{1,32}")
WHOLE: Final = 36
MOST: Final = 1_000_000_000
_DASHES: Final = (8, 12, 16, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What was typed behind the options, as it was typed."""

    task: Sequence[str] = ()
    queue: Sequence[str] = ()
    state: Sequence[JobState] = ()
    since: str = ""
    until: str = ""
    batch: str = ""
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and not 1 <= self.limit <= MOST:
            raise CommandError(
                f"--limit is {self.limit}",
                code="tasks.E081",
                hint=f"give a number from 1 to {MOST}",
            )

    @property
    def is_empty(self) -> bool:
        """Whether it leaves no job out."""
        return not (self.task or self.queue or self.state or self.since or self.until or self.batch)

    async def query(self, office: Office) -> JobQuery:
        """Return the jobs that are meant.

        Raises:
            CommandError: There is no such task, queue or batch, or a time is none.
        """
        since = moment_of(self.since, "--since", office) if self.since else None
        until = moment_of(self.until, "--until", office) if self.until else None
        if since and until and since >= until:
            raise CommandError(
                f"--until {self.until} is not after --since {self.since}",
                code="tasks.E082",
                hint="--since is the earlier one",
            )
        return JobQuery(
            states=tuple(self.state),
            tasks=await tasks_meant(self.task, office),
            queues=await queues_meant(self.queue, office),
            batch=await self._known_batch(office) if self.batch else None,
            since=since,
            until=until,
            limit=self.limit,
        )

    async def _known_batch(self, office: Office) -> str:
        uid, desk = dashed(self.batch), office.desk
        if is_whole(uid) and (await desk.batch(uid) or await desk.count(JobQuery(batch=uid))):
            return uid
        raise CommandError(
            f"there is no batch {self.batch!r}",
            code="tasks.E077",
            hint="write the whole id; one is forgotten some time after its end",
        )


def dashed(typed: str) -> str:
    """Return an id, or the beginning of one, as ids are written; what cannot be one stays."""
    text = typed.strip().lower()
    digits = text.replace("-", "")
    if not _HEX.fullmatch(digits):
        return text
    cuts = [0, *(cut for cut in _DASHES if cut < len(digits)), len(digits)]
    return "-".join(digits[start:end] for start, end in pairwise(cuts))


def is_whole(uid: str) -> bool:
    """Return whether an id, as `dashed` returns it, is a whole one of ours."""
    return len(uid) == WHOLE and bool(_HEX.fullmatch(uid.replace("-", "")))
