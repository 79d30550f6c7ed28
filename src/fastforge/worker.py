"""The worker: runs the jobs of a project until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, NoReturn

from ._utils import did_you_mean
from .exceptions import TaskError
from .lifecycle import Container, Role
from .signals import heard_signals
from .tasks.backend import backend_of
from .tasks.consumer import Consumer
from .tasks.control import ConsumerOptions, Stop
from .tasks.kinds import TASKS
from .tasks.settings import Tasks

if TYPE_CHECKING:
    from .project import Project

__all__ = ["options_of", "run_worker", "work"]

logger = logging.getLogger("fastforge.worker")


def run_worker(
    project: Project,
    *,
    queues: Iterable[str] = (),
    concurrency: int | None = None,
    burst: bool = False,
) -> int:
    """Run jobs until SIGTERM or SIGINT, and return the exit code 0.

    At the signal it claims no more, lets running jobs end for TASKS.drain_s, then cancels them
    and hands them back: another worker starts them at once, and the attempt is not counted. A
    second signal skips the waiting. A signal that whoever started us ignores stays ignored, and
    outside of the main thread none is heard.

    Args:
        project: The loaded project.
        queues: The queues to take jobs from; all that the project's tasks name unless given.
        concurrency: How many jobs run at the same time; TASKS.concurrency unless given.
        burst: End when nothing is due and nothing runs. Jobs that are due later stay.

    Raises:
        StartError: The project could not be opened.
        TaskError: A queue that no task uses, or a backend that is not installed.
    """
    options = options_of(project, queues=queues, concurrency=concurrency, burst=burst)
    threads = asyncio.run(_with_signals(project, options))
    if threads:
        _leave_behind(threads)
    return 0


def options_of(
    project: Project,
    *,
    queues: Iterable[str] = (),
    concurrency: int | None = None,
    burst: bool = False,
) -> ConsumerOptions:
    """Return what a worker of a project does; the arguments are those of `run_worker`."""
    settings = project.settings.section(Tasks)
    known = sorted({"default", *(task.queue for task in project.registry.values(TASKS))})
    asked = tuple(dict.fromkeys(queues))
    for queue in asked:
        if queue not in known:
            raise TaskError(
                f"no task of the project uses the queue {queue!r}",
                code="tasks.E015",
                hint=did_you_mean(queue, known) or f"there are {', '.join(known)}",
            )
    return ConsumerOptions(
        queues=asked or tuple(known),
        concurrency=concurrency or settings.concurrency,
        lease_s=settings.lease_s,
        drain_s=settings.drain_s,
        burst=burst,
    )


async def work(container: Container, options: ConsumerOptions, stop: Stop) -> int:
    """Consume in a running project; return how many threads are still at work at the end."""
    consumer = Consumer(container, backend_of(container), options, stop)
    queues = ", ".join(options.queues)
    logger.info("worker %s takes jobs from %s", consumer.worker_id, queues)
    await consumer.run()
    return consumer.threads.busy


async def _with_signals(project: Project, options: ConsumerOptions) -> int:
    stop = Stop()
    started = asyncio.Event()
    main = asyncio.create_task(_run(project, options, stop, started))

    def told_to_stop(_: int) -> None:
        # Before it has started there is nothing to drain: what is open is closed at once.
        if started.is_set():
            stop.request()
        else:
            main.cancel()

    with heard_signals(told_to_stop):
        try:
            return await main
        except asyncio.CancelledError:
            return 0


async def _run(
    project: Project, options: ConsumerOptions, stop: Stop, started: asyncio.Event
) -> int:
    async with project.running(Role.WORKER) as container:
        started.set()
        return await work(container, options, stop)


def _leave_behind(threads: int) -> NoReturn:
    """End although threads are at work: their jobs are handed back and run elsewhere by now."""
    logger.warning("%d threads did not end; they are left behind", threads)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
