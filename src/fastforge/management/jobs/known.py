"""Known: the names of tasks and queues that a filter may have, and what is said of another."""

from __future__ import annotations

from collections.abc import Sequence

from ..._utils import did_you_mean
from ...exceptions import CommandError
from ...tasks.kinds import TASKS
from ...tasks.records import JobQuery
from ...tasks.working import queues_of
from .office import Office

__all__ = ["queues_known", "queues_meant", "tasks_meant"]


async def tasks_meant(names: Sequence[str], office: Office) -> tuple[str, ...]:
    """Return the full names of tasks; the last part is enough where no other task has it.

    A task that the code does not have any more is known as long as it has jobs.

    Raises:
        CommandError: There is no such task; the nearest is told.
    """
    return tuple([await _task(name, office) for name in names])


async def _task(name: str, office: Office) -> str:
    known = [task.name for task in office.registry.values(TASKS)]
    short = [each for each in known if each.rpartition(".")[2] == name]
    if name in known or (name.isprintable() and await _has_jobs(name, office)):
        return name
    if len(short) == 1:
        return short[0]
    parts = [each.rpartition(".")[2] for each in known]
    raise CommandError(
        f"there is no task {name!r} in this project, and no job of one",
        code="tasks.E078",
        hint=f"write one of {', '.join(short)}"
        if short
        else did_you_mean(name, [*known, *parts]) or "`inspect tasks` lists them",
    )


async def _has_jobs(task: str, office: Office) -> bool:
    return bool(await office.desk.find(JobQuery(tasks=(task,), limit=1)))


async def queues_meant(names: Sequence[str], office: Office) -> tuple[str, ...]:
    """Return the names, all of which are queues.

    Raises:
        CommandError: There is no such queue; the nearest is told.
    """
    if not names:
        return ()
    known = await queues_known(office)
    for name in names:
        if name not in known:
            raise CommandError(
                f"there is no queue {name!r}: no task uses it, and no job waits in it",
                code="tasks.E079",
                hint=did_you_mean(name, known) or f"there are {', '.join(known)}",
            )
    return tuple(names)


async def queues_known(office: Office) -> Sequence[str]:
    """Return the queues that tasks or workers use, that have jobs, or that are paused."""
    stats = [each.queue for each in await office.desk.stats()]
    taken = [queue for worker in await office.desk.workers() for queue in worker.queues]
    return sorted({*queues_of(office.registry), *stats, *taken})
