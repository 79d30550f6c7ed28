"""Working: what a process needs to consume the jobs of a project, whichever process it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from threading import Thread
from typing import Final

from .._utils import counted
from ..components import Registry
from ..conf import Settings
from ..exceptions import TaskError
from ..lifecycle import Container
from .backend import backend_of
from .consumer import END_LIMIT_S, Consumer
from .control import ConsumerOptions, Stop
from .kinds import TASK_BACKENDS, TASKS
from .leftovers import tell_leftovers
from .options import meant_queue
from .settings import Tasks

__all__ = ["HAND_BACK_LIMIT_S", "has_work", "options_of", "queues_of", "threads_left", "work"]

logger = logging.getLogger("fastforge.worker")

LEFTOVERS_LIMIT_S: Final = 1.0
"""How long the end of a worker waits for what it has to say about other backends."""
HAND_BACK_LIMIT_S: Final = END_LIMIT_S + LEFTOVERS_LIMIT_S
"""What `work` takes at most to end beside the time that running jobs have."""


def has_work(registry: Registry, settings: Settings) -> bool:
    """Return whether a project has tasks, and the backend that keeps their jobs."""
    backends = {backend.name for backend in registry.values(TASK_BACKENDS)}
    return bool(registry.values(TASKS)) and settings.section(Tasks).backend in backends


def queues_of(registry: Registry) -> tuple[str, ...]:
    """Return the names of all queues that the tasks of a project use."""
    return tuple(sorted({"default", *(task.queue for task in registry.values(TASKS))}))


def options_of(
    registry: Registry,
    settings: Settings,
    *,
    queues: Iterable[str] = (),
    limits: Mapping[str, int] | None = None,
    concurrency: int | None = None,
    drain_s: float | None = None,
    burst: bool = False,
) -> ConsumerOptions:
    """Return how a worker of a project works.

    Args:
        registry: The project's components.
        settings: The project's settings.
        queues: The queues to take jobs from; all that the project's tasks name unless given.
        limits: How many jobs of a queue run at the same time, for queues with a limit of their own.
        concurrency: How many jobs run at the same time; TASKS.concurrency unless given.
        drain_s: How long running jobs may go on at the end; TASKS.drain_s unless given.
        burst: End when nothing is due and nothing runs.

    Raises:
        TaskError: A queue that no task uses, under almost the name of one. Others are free: jobs
            are put there by `using(queue=...)`.
    """
    section = settings.section(Tasks)
    known = queues_of(registry)
    asked = tuple(dict.fromkeys(queues))
    for queue in asked:
        meant = None if queue in known else meant_queue(queue, known)
        if meant is not None:
            raise TaskError(
                f"no task of the project uses the queue {queue!r}",
                code="tasks.E015",
                hint=f"did you mean {meant!r}?",
            )
    return ConsumerOptions(
        queues=asked or known,
        concurrency=concurrency or section.concurrency,
        lease_s=section.lease_s,
        drain_s=section.drain_s if drain_s is None else drain_s,
        burst=burst,
        limits={**_isolated_queues(registry, section), **(limits or {})},
    )


def _isolated_queues(registry: Registry, section: Tasks) -> dict[str, int]:
    """Return the limits of queues that have isolated tasks alone.

    More of their jobs would wait for a process here, and could run elsewhere meanwhile.
    """
    tasks = registry.values(TASKS)
    others = {task.queue for task in tasks if not task.isolate}
    isolated = {task.queue for task in tasks if task.isolate}
    return dict.fromkeys(isolated - others, section.isolated_processes)


async def work(
    container: Container,
    options: ConsumerOptions,
    stop: Stop,
    *,
    on_start: Callable[[Consumer], None] | None = None,
) -> frozenset[Thread]:
    """Consume in a running project; return the threads that are still at work at the end.

    Args:
        container: The running project.
        options: How to work.
        stop: Tells it to stop.
        on_start: Is given the consumer before it begins.

    Raises:
        TaskError: The backend that TASKS.backend names is not installed.
    """
    consumer = Consumer(container, backend_of(container), options, stop)
    logger.info("worker %s takes jobs from %s", consumer.worker_id, ", ".join(options.queues))
    if on_start is not None:
        on_start(consumer)
    telling = asyncio.create_task(tell_leftovers(container))
    try:
        await consumer.run()
        await asyncio.wait({telling}, timeout=LEFTOVERS_LIMIT_S)  # a burst may be over at once
    finally:
        telling.cancel()
    return consumer.threads.at_work


def threads_left(count: int) -> str:
    """Return what to say of threads that are still at work when a worker has ended."""
    one, many = "thread did not end; it is", "threads did not end; they are"
    return f"{counted(count, one, many)} left behind"
