"""Jobs: what a schedule enqueues at one of its times."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from ...exceptions import TaskError
from ...observability.context import new_request_id
from ..arguments import arguments_of
from ..calls import Call
from ..clock import Clock
from ..declaration import Task
from ..envelope import REQUEST_ID, Envelope
from ..limits import Slots, UniqueKey
from ..settings import Tasks
from .due import DUE_AT
from .schedule import Schedule

__all__ = ["SCHEDULE", "check_schedule", "scheduled_job"]

SCHEDULE: Final = "schedule"
"""The header of a job that names the schedule that enqueued it."""


def scheduled_job(
    schedule: Schedule, due_at: datetime, *, settings: Tasks, clock: Clock
) -> Envelope:
    """Return the job of one due time.

    It is due at that time and not when somebody came to enqueue it: those that are late run in
    their order, and a worker whose clock is fast starts nothing early.

    Args:
        schedule: The schedule.
        due_at: The time, in UTC.
        settings: What holds where the task says nothing.
        clock: What time it is for the backend.
    """
    envelope = _call_of(schedule).envelope(settings, clock)
    key = f"schedule:{schedule.name}"
    limits: dict[str, Any] = {}
    if schedule.overlap == "skip" and envelope.unique is None:
        limits["unique"] = UniqueKey(key=key)
    elif schedule.overlap == "queue":
        limits["slots"] = Slots(key=key, limit=1)
    headers = {REQUEST_ID: new_request_id(), **envelope.headers}  # each firing has one of its own
    return replace(
        envelope,
        headers={**headers, SCHEDULE: schedule.name, DUE_AT: due_at.isoformat()},
        run_at=due_at + timedelta(seconds=envelope.delay_s),
        delay_s=0,
        **limits,
    )


def check_schedule(schedule: Schedule) -> None:
    """Refuse a schedule whose job could not be enqueued as it says.

    Raises:
        TaskError: The task needs arguments, has limits of its own that contradict, or the call
            is for one moment alone.
    """
    call = _call_of(schedule)
    task, options = call.task, call.options
    if options.run_at is not None or isinstance(options.expires, datetime):
        raise TaskError(
            f"the call of the schedule {schedule.name!r} names a moment, and its jobs have many",
            code="tasks.E060",
            hint="leave run_at out, and give expires as a timedelta",
        )
    if schedule.overlap == "queue" and task.concurrency is not None:
        raise TaskError(
            f'overlap="queue" of the schedule {schedule.name!r} and {task.concurrency!r} of its'
            " task would count the same jobs twice",
            code="tasks.E058",
            hint="leave overlap out, or give the task Concurrency(1)",
        )
    is_unique = call.envelope(Tasks(), Clock()).unique is not None
    if schedule.overlap != "skip" and is_unique:
        raise TaskError(
            f"overlap={schedule.overlap!r} of the schedule {schedule.name!r} lets several of its"
            " jobs exist, but its task is unique",
            code="tasks.E059",
            hint=f"leave overlap out, or schedule {task.__name__}.using(unique=False).call(...)",
        )


def _call_of(schedule: Schedule) -> Call[Any]:
    if isinstance(schedule.job, Call):
        return schedule.job
    _refuse_missing_arguments(schedule.name, schedule.job)
    return schedule.job.call()


def _refuse_missing_arguments(schedule: str, task: Task[..., Any]) -> None:
    parameters = arguments_of(task.function).signature.parameters.values()
    missing = [each.name for each in parameters if each.default is each.empty]
    if missing:
        given = ", ".join(f"{name}=..." for name in missing)
        raise TaskError(
            f"the schedule {schedule!r} enqueues {task.__name__} without"
            f" {', '.join(missing)}, which it needs",
            code="tasks.E055",
            hint=f"write {task.__name__}.call({given}) in place of {task.__name__}",
        )
