"""Schedule: a task and the times at which a job of it is enqueued."""

from __future__ import annotations

import inspect
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from ..._utils import calling_line, did_you_mean
from ...exceptions import Location, TaskError
from ..calls import Call
from ..declaration import Task
from ..enqueuer import Enqueuer
from ..keywords import refusing_unknown
from .cron import Cron
from .interval import SHORTEST, Interval
from .moments import next_moment
from .zones import DEFAULT_ZONE, zone_of

__all__ = ["CatchUp", "Overlap", "Schedule", "every"]

CatchUp = Literal["none", "latest", "all"]
"""What becomes of the times at which no worker was there."""
Overlap = Literal["skip", "queue", "allow"]
"""What becomes of a time at which the job of an earlier one has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What `every` gives: when a job is enqueued, and which.

    Args:
        name: Unique in the project, and what its history is known by: keep it when the times
            change.
        when: The times.
        job: What is enqueued: a task, or a call of one.
        zone: The IANA name of the zone whose clocks count; TIME_ZONE where it is empty.
        catch_up: What becomes of the times at which no worker was there.
        overlap: What becomes of a time at which the job of an earlier one has not ended.
    """

    name: str
    when: Cron | Interval
    job: Task[..., Any] | Call[Any]
    zone: str = ""
    catch_up: CatchUp = "latest"
    overlap: Overlap = "skip"

    @property
    def task(self) -> Task[..., Any]:
        """The task of its jobs."""
        return self.job.task if isinstance(self.job, Call) else self.job

    def next_after(self, moment: datetime, *, time_zone: str = DEFAULT_ZONE) -> datetime | None:
        """Return when it is due next, in UTC.

        ```python
        nightly.next_after(datetime.now(UTC))
        ```

        Args:
            moment: With a time zone. A run that is due exactly then is not the next one.
            time_zone: The zone of a schedule that names none.

        Returns:
            None when it is due at no time in the next decades.

        Raises:
            TaskError: The moment has no time zone.
        """
        if moment.utcoffset() is None:
            raise TaskError(
                f"{moment.isoformat()} has no time zone, so that it is no moment",
                code="tasks.E053",
                hint="write datetime.now(UTC), or give the datetime a tzinfo",
            )
        if isinstance(self.when, Interval):
            return self.when.after(moment.astimezone(UTC))
        return next_moment(self.when, zone_of(self.zone or time_zone), moment.astimezone(UTC))

    def __repr__(self) -> str:
        return f"<Schedule({self.name}: {self.when})>"


@refusing_unknown("every")
def every(
    when: str | timedelta,
    job: Task[..., Any] | Call[Any],
    /,
    *,
    zone: str = "",
    catch_up: CatchUp = "latest",
    overlap: Overlap = "skip",
    name: str = "",
) -> Schedule:
    """Declare when jobs of a task are enqueued, in an app's `schedules.py` or `tasks.py`.

    The schedule needs a name at the top level of the module; a call alone declares nothing.
    Surprises: an interval counts from the epoch and not from a start, so that
    `timedelta(minutes=5)` means the minutes 0, 5, 10 of each hour. A new schedule begins with the
    next of its times.

    ```python
    nightly = every("0 3 * * mon-fri", send_report.call(days=1), zone="Europe/Berlin")
    polling = every(timedelta(minutes=5), poll, catch_up="none")
    ```

    Args:
        when: A cron expression of five fields, or the distance of the runs, 1 second at least.
        job: The task, or a call of it: `send_report.call(days=7)`.
        zone: The IANA name of the zone whose clocks a cron expression means; TIME_ZONE unless
            given.
        catch_up: After an outage, "latest" enqueues the last time that was missed, "all" each
            of them, at most the last 1000, and "none" none.
        overlap: While the job of an earlier time has not ended, "skip" enqueues none, "queue"
            lets it wait for that end, and "allow" lets both run.
        name: What its history is known by; the task's name unless given.

    Raises:
        TaskError: The expression, the zone, the interval or a policy is wrong, or it is no task
            that was given.
    """
    where = calling_line()
    _refuse_no_task(job, where)
    _refuse_policy("catch_up", catch_up, CatchUp, where)
    _refuse_policy("overlap", overlap, Overlap, where)
    return Schedule(
        name=name or (job.task if isinstance(job, Call) else job).name,
        when=_times(when, zone, where),
        job=job,
        zone=zone,
        catch_up=catch_up,
        overlap=overlap,
    )


def _times(when: object, zone: str, where: Location | None) -> Cron | Interval:
    if isinstance(when, str):
        if zone:
            zone_of(zone, where=where)
        return Cron.parse(when, where=where)
    if not isinstance(when, timedelta):
        raise TaskError(
            f"every() got {when!r}, which is neither a cron expression nor a timedelta",
            code="tasks.E056",
            hint='write every("0 3 * * *", ...) or every(timedelta(minutes=5), ...)',
            where=where,
        )
    if when < SHORTEST:
        raise TaskError(
            f"an interval of {when.total_seconds():g} s is shorter than 1 s",
            code="tasks.E052",
            hint="give 1 second or more; what has to run all the time is a service",
            where=where,
        )
    if zone:
        raise TaskError(
            f"an interval has no time zone, and got {zone!r}",
            code="tasks.E057",
            hint="leave zone out, or write a cron expression for times of the day",
            where=where,
        )
    return Interval(length=when)


def _refuse_no_task(job: object, where: Location | None) -> None:
    if isinstance(job, Task | Call):
        return
    hint = "give a task: a function with @task above it"
    if isinstance(job, Coroutine):
        job.close()  # else Python warns of it, long after and elsewhere
        hint = "give the task itself, or task.call(...) in place of task(...)"
    elif isinstance(job, Enqueuer):
        hint = "write .call(...) behind it"
    elif inspect.isfunction(job):
        hint = f"write @task above {job.__name__}"
    raise TaskError(
        f"every() got {job!r}, which is no task", code="tasks.E056", hint=hint, where=where
    )


def _refuse_policy(name: str, value: object, policies: Any, where: Location | None) -> None:
    known = get_args(policies)
    if value not in known:
        raise TaskError(
            f"{name}={value!r} is not known",
            code="tasks.E054",
            hint=did_you_mean(str(value), known) or f"there are {', '.join(known)}",
            where=where,
        )
