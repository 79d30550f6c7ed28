"""Changes: what can be done with jobs from outside, to those that are named or are meant."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ...exceptions import CommandError
from ...tasks.desk import JobDesk
from ...tasks.outcome import JobState
from ...tasks.records import JobQuery, JobRecord
from .asking import confirmed
from .filters import Filter
from .ids import jobs_meant
from .office import Office
from .records import state_of

__all__ = [
    "CANCEL",
    "DISCARD",
    "RETRY",
    "Change",
    "Changed",
    "MassChange",
    "change_all",
    "change_some",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that can be done with jobs.

    Args:
        verb: What it is called.
        past: What is said of a job to which it was done.
        states: Where a job can be for it.
        which: Those jobs in words.
        act: Does it.
    """

    verb: str
    past: str
    states: tuple[JobState, ...]
    which: str
    act: Callable[[JobDesk, JobQuery], Coroutine[Any, Any, int]]


RETRY: Final = Change(
    verb="retry",
    past="retried",
    states=(JobState.DEAD, JobState.CANCELLED),
    which="dead and cancelled jobs",
    act=lambda desk, query: desk.retry(query),
)
CANCEL: Final = Change(
    verb="cancel",
    past="cancelled",
    states=(JobState.FORWARDING, JobState.HELD, JobState.READY, JobState.RUNNING),
    which="jobs that have not ended",
    act=lambda desk, query: desk.cancel(query),
)
DISCARD: Final = Change(
    verb="discard",
    past="discarded",
    states=tuple(state for state in JobState if state is not JobState.RUNNING),
    which="jobs that do not run",
    act=lambda desk, query: desk.discard(query),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What has become of one job that was named.

    Args:
        record: The job as it was found.
        reason: Why it could not be done; empty where it was.
    """

    record: JobRecord
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MassChange:
    """What has become of the jobs that a filter meant.

    Args:
        count: To how many it was done.
        left: How many more the filter meant, which are in no state for it.
        is_declined: The person who was asked did not want it.
    """

    count: int = 0
    left: int = 0
    is_declined: bool = False


async def change_some(change: Change, typed: Sequence[str], office: Office) -> list[Changed]:
    """Do something to the jobs that ids mean, to each that it can be done to.

    Raises:
        CommandError: An id means no job or several; then nothing has been done.
    """
    found = await jobs_meant(typed, office)
    return [await _change_one(change, record, office) for record in found]


async def _change_one(change: Change, record: JobRecord, office: Office) -> Changed:
    query = JobQuery(uids=(record.uid,))
    if await change.act(office.desk, query):
        return Changed(record=record)
    for record in await office.desk.find(query):  # as it is now: it may have changed meanwhile
        return Changed(record=record, reason=f"it is {state_of(record)}")
    return Changed(record=record, reason="it is not there any more")


async def change_all(
    change: Change, meant: Filter, office: Office, *, all_jobs: bool, yes: bool
) -> MassChange:
    """Do something to all jobs that a filter means; a person is asked first.

    Raises:
        CommandError: Nothing is left out and nobody said `--all`, or nobody can be asked.
    """
    if meant.is_empty and not all_jobs:
        raise CommandError(
            f"`jobs {change.verb}` was not told which jobs",
            code="tasks.E083",
            hint=f"give ids, or a filter such as --task, or --all for all {change.which}",
        )
    query = await meant.query(office)
    able = replace(query, states=_possible(change, query))
    count = await office.desk.count(able)
    left = await office.desk.count(query) - count
    wanted = count if query.limit is None else min(count, query.limit)
    if not wanted:
        return MassChange(left=left)
    if not (yes or await confirmed(change.verb, wanted)):
        return MassChange(is_declined=True)
    return MassChange(count=await change.act(office.desk, able), left=left)


def _possible(change: Change, query: JobQuery) -> tuple[JobState, ...]:
    states = tuple(state for state in change.states if state in (query.states or change.states))
    if states:
        return states
    raise CommandError(
        f"`jobs {change.verb}` is for {change.which}, and --state names no state of those",
        code="tasks.E085",
        hint=f"it may be {', '.join(state.name.lower() for state in change.states)}",
    )
