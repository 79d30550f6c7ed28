"""The kinds of components that have to do with jobs."""

from __future__ import annotations

from typing import Any, Final

from ..components import Kind
from .arguments import arguments_of
from .backend import Backend
from .declaration import Task
from .keys import check_limit
from .limits import Concurrency, Rate, Unique
from .listeners import JobListener, event_parameter
from .schedules.jobs import check_schedule
from .schedules.schedule import Schedule

__all__ = ["JOB_LISTENERS", "SCHEDULES", "TASKS", "TASK_BACKENDS"]

_LIMITS: Final = {"unique": Unique, "concurrency": Concurrency, "rate": Rate}


def _check_task(task: Task[..., Any]) -> None:
    arguments_of(task.function)
    for name, kind in _LIMITS.items():
        limit = getattr(task, name)
        if limit is not None:
            check_limit(name, limit, kind, task.function)


def _check_listener(listener: JobListener) -> None:
    event_parameter(listener)


TASKS: Final[Kind[Task[..., Any]]] = Kind(
    name="tasks",
    type=Task,
    module="tasks",
    key=lambda task: task.name,
    home=lambda task: task.function,
    validate=_check_task,
)
TASK_BACKENDS: Final[Kind[Backend]] = Kind(
    name="task_backends",
    type=Backend,
    module="task_backends",
    key=lambda backend: backend.name,
)
SCHEDULES: Final[Kind[Schedule]] = Kind(
    name="schedules",
    type=Schedule,
    module="schedules",
    key=lambda schedule: schedule.name,
    validate=check_schedule,
    # Beside its task is where a small app writes one; there it would silently do nothing.
    also=("tasks",),
)
JOB_LISTENERS: Final[Kind[JobListener]] = Kind(
    name="job_listeners",
    type=JobListener,
    module="listeners",
    key=lambda listener: listener.name,
    home=lambda listener: listener.function,
    validate=_check_listener,
)
