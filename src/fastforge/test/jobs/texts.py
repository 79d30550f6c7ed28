"""Texts: jobs as an assertion that fails shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ..._utils import redact
from ...tasks import JobRecord, JobState

__all__ = ["call_of", "not_found", "unexpected"]

SHOWN: Final = 20
VALUE_LIMIT: Final = 200


def call_of(task: str, arguments: Mapping[str, Any]) -> str:
    """Return a job as the call that it stands for."""
    given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return f"{task}({redact(given)[:VALUE_LIMIT]})"


def not_found(
    task: str, arguments: Mapping[str, Any], jobs: Sequence[JobRecord], now: datetime
) -> str:
    """Return why an assertion fails that a job waits.

    Args:
        task: The name of its task.
        arguments: Those that were asked for.
        jobs: All jobs.
        now: What time it is for the backend.
    """
    lines = [f"no job waits that is {call_of(task, arguments)}"]
    waiting = [job for job in jobs if job.state < JobState.RUNNING]
    nearest = _nearest(task, arguments, jobs)
    if nearest is not None:
        lines.append(f"the nearest, {_state(nearest, now)}, {nearest_words(nearest, arguments)}")
    lines.extend(_listed(waiting, now, "what waits:") if waiting else ["nothing waits"])
    return "\n".join(lines)


def unexpected(jobs: Sequence[JobRecord], now: datetime) -> str:
    """Return why an assertion fails that no such job waits."""
    return "\n".join(_listed(jobs, now, "jobs wait that should not:"))


def nearest_words(job: JobRecord, arguments: Mapping[str, Any]) -> str:
    """Return in what a job differs from what was asked for."""
    differences = [
        f"{name}={job.payload[name]!r} and not {value!r}"
        if name in job.payload
        else f"no {name}, whose default holds"
        for name, value in arguments.items()
        if name not in job.payload or job.payload[name] != value
    ]
    return redact("has " + "; ".join(differences)) if differences else "is the same"


def _nearest(
    task: str, arguments: Mapping[str, Any], jobs: Sequence[JobRecord]
) -> JobRecord | None:
    """Return the job of the task with the most arguments in common, if possible one that waits."""

    def nearness(job: JobRecord) -> tuple[int, bool]:
        same = sum(job.payload.get(name) == value for name, value in arguments.items())
        return same, job.state < JobState.RUNNING

    return max((job for job in jobs if job.task == task), key=nearness, default=None)


def _listed(jobs: Sequence[JobRecord], now: datetime, title: str) -> Iterator[str]:
    yield title
    for job in jobs[:SHOWN]:
        yield f"  {call_of(job.task, job.payload)} in {job.queue}, {_state(job, now)}"
    if len(jobs) > SHOWN:
        yield f"  and {len(jobs) - SHOWN} more"


def _state(job: JobRecord, now: datetime) -> str:
    if job.state is JobState.READY:
        wait_s = (job.run_at - now).total_seconds()
        return "due now" if wait_s <= 0 else f"due in {wait_s:.0f} s"
    return job.state.name.lower()
