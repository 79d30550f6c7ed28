"""Changing: the body of `jobs retry`, `cancel` and `discard`, and what they tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...commands import Context
from ...exceptions import CommandError
from ...tasks.outcome import JobState
from ..tables import as_json
from .changes import CANCEL, Change, Changed, MassChange, change_all, change_some
from .filters import Filter
from .ids import short_ids
from .office import open_office

__all__ = ["changing"]


async def changing(
    change: Change,
    ids: Sequence[str],
    meant: Filter,
    context: Context,
    *,
    all_jobs: bool,
    yes: bool,
    json: bool,
) -> int:
    """Do something to the jobs that were named or are meant; tell of it; return the exit code.

    Raises:
        CommandError: Ids and a filter at the same time, or neither of them.
    """
    if ids and (all_jobs or meant.limit is not None or not meant.is_empty):
        raise CommandError(
            f"`jobs {change.verb}` was given ids and a filter",
            code="tasks.E087",
            hint="give one of the two",
        )
    with open_office(context) as office:
        if ids:
            changed = await change_some(change, ids, office)
            for line in _json_of(change, changed) if json else _told(change, changed):
                context.echo(line)
            return int(any(each.reason for each in changed))
        mass = await change_all(change, meant, office, all_jobs=all_jobs, yes=yes)
        context.echo(_mass_json(change, mass) if json else _mass_told(change, mass))
        return int(mass.is_declined)


def _told(change: Change, changed: Sequence[Changed]) -> Iterator[str]:
    ids = short_ids([each.record for each in changed])
    for uid, each in zip(ids, changed, strict=True):
        if each.reason:
            yield f"{uid} is not {change.past}: {each.reason}; {change.verb} is for {change.which}"
        elif change is CANCEL and each.record.state is JobState.RUNNING:
            yield f"{uid} is told to end; its worker hears of it within a second"
        else:
            yield f"{uid} is {change.past}"


def _json_of(change: Change, changed: Sequence[Changed]) -> Iterator[str]:
    for each in changed:
        yield _line(
            id=each.record.uid,
            task=each.record.task,
            action=change.verb,
            changed=not each.reason,
            reason=each.reason or None,
        )


def _mass_told(change: Change, mass: MassChange) -> str:
    if mass.is_declined:
        return "nothing is changed"
    done = f"{mass.count:,} {'job is' if mass.count == 1 else 'jobs are'} {change.past}"
    if not mass.left:
        return done
    left = f"{mass.left:,} {'is' if mass.left == 1 else 'are'} left as they are"
    return f"{done}; {left}, since {change.verb} is for {change.which}"


def _mass_json(change: Change, mass: MassChange) -> str:
    return _line(action=change.verb, count=mass.count, left=mass.left)


def _line(**fields: Any) -> str:
    return as_json(fields, indent=None)
