"""The worker: runs the jobs of a project until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .ending import leave_behind
from .lifecycle import Role
from .signals import heard_signals
from .tasks.control import ConsumerOptions, Stop
from .tasks.working import options_of, work

if TYPE_CHECKING:
    from .project import Project

__all__ = ["run_worker"]

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
    options = options_of(
        project.registry,
        project.settings,
        queues=queues,
        concurrency=concurrency,
        burst=burst,
    )
    threads = asyncio.run(_with_signals(project, options))
    if threads and threading.current_thread() is threading.main_thread():
        # Their jobs are handed back, and run elsewhere by now.
        logger.warning("%d threads did not end; they are left behind", len(threads))
        leave_behind(threads)
    return 0


async def _with_signals(project: Project, options: ConsumerOptions) -> frozenset[threading.Thread]:
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
            return frozenset()


async def _run(
    project: Project, options: ConsumerOptions, stop: Stop, started: asyncio.Event
) -> frozenset[threading.Thread]:
    async with project.running(Role.WORKER) as container:
        started.set()
        return await work(container, options, stop)
