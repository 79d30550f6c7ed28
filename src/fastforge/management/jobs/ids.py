"""Ids: the jobs that are meant by ids of which only the beginning was typed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ...exceptions import CommandError
from ...tasks.records import JobQuery, JobRecord
from .filters import WHOLE, dashed, is_whole
from .office import Office

__all__ = ["JobNotFound", "job_meant", "jobs_meant", "short_ids"]

SHOWN: Final = 5
"""How many of the jobs are told that one beginning may mean."""
SHORT: Final = 8
"""How much of an id is shown where nothing else begins like it."""


class JobNotFound(CommandError):
    """There is no job with the id that was typed."""

    exit_code = 1


async def jobs_meant(typed: Sequence[str], office: Office) -> list[JobRecord]:
    """Return the jobs that some ids mean, in their order and each once.

    Raises:
        JobNotFound: There is no job with that id.
        CommandError: Several jobs have ids that begin so.
    """
    found: dict[str, JobRecord] = {}
    for text in typed:
        record = await job_meant(text, office)
        found.setdefault(record.uid, record)
    return list(found.values())


async def job_meant(typed: str, office: Office) -> JobRecord:
    """Return the job that an id, or its beginning, means.

    Raises:
        JobNotFound: There is no job with that id.
        CommandError: Several jobs have ids that begin so.
    """
    found = await _found(dashed(typed), office) or await _found(typed.strip(), office)
    if not found:
        raise JobNotFound(
            f"there is no job {typed!r}",
            code="tasks.E075",
            hint="`jobs list` shows the newest; done and cancelled jobs are kept for a day",
        )
    if len(found) > 1:
        raise CommandError(
            f"the ids of several jobs begin with {typed!r}",
            code="tasks.E076",
            hint=f"write more of it: {_candidates(found)}",
        )
    return found[0]


async def _found(uid: str, office: Office) -> Sequence[JobRecord]:
    """Return the first of the jobs that an id, or its beginning, may mean.

    The ids of jobs that arq's own client has enqueued are no UUIDs: those are as they were typed.
    """
    if not uid.isprintable() or not uid:
        return ()
    whole = (uid,) if is_whole(uid) else ()
    query = JobQuery(uids=whole, uid_prefix="" if whole else uid, limit=SHOWN + 1)
    return await office.desk.find(query)


def short_ids(records: Sequence[JobRecord]) -> list[str]:
    """Return the ids of jobs, as long as it takes to tell these from each other."""
    uids = [record.uid for record in records]
    length = SHORT
    while length < WHOLE and len({uid[:length] for uid in uids}) < len(set(uids)):
        length += 1
    return [uid[:length] for uid in uids]


def _candidates(found: Sequence[JobRecord]) -> str:
    shown = [
        f"{short} ({record.task})" for short, record in zip(short_ids(found), found, strict=True)
    ][:SHOWN]
    return ", ".join(shown) + (", and more" if len(found) > SHOWN else "")
