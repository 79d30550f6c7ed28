"""Leftovers: jobs that wait in a backend which TASKS.backend does not name any more."""

from __future__ import annotations

import logging
from contextlib import suppress

from .._utils import counted
from ..lifecycle import Container
from .backend import Backend
from .desk import JobDesk
from .settings import Tasks

__all__ = ["tell_leftovers"]

logger = logging.getLogger("fastforge.worker")


async def tell_leftovers(container: Container) -> None:
    """Write a line about each installed backend in which jobs wait that no worker takes.

    Whoever changes TASKS.backend leaves them there. One that does not answer has nothing to say:
    this project does not need it any more.

    Args:
        container: The running project.
    """
    current = container.settings.section(Tasks).backend
    for backend in container.registry.values("task_backends"):
        if backend.name == current:
            continue
        left = 0
        with suppress(Exception):
            left = await _left_in(container, backend)
        if left:
            logger.warning(
                "%s in the backend %r, and TASKS.backend is %r: no worker takes them; let a worker"
                " of TASKS.backend=%r end them, or discard them by `manage jobs discard` there",
                counted(left, "job is left", "jobs are left"),
                backend.name,
                current,
                backend.name,
            )


async def _left_in(container: Container, backend: Backend) -> int:
    """Return how many jobs have not ended; none where a worker of that backend is at work."""
    desk: JobDesk = container[backend.resource].desk
    if any(worker.alive for worker in await desk.workers()):
        return 0
    queues = await desk.stats()
    return sum(each.ready + each.scheduled + each.held + each.running for each in queues)
