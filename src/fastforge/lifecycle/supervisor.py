"""Supervisor: keeps the services of a process running, and stops them."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Final

from .backoff import Backoff
from .container import Container
from .execution import execute
from .plan import plan
from .service import Service

__all__ = ["Supervisor"]

logger = logging.getLogger("fastforge.lifecycle")

STABLE_AFTER_S: Final = 60.0
"""A service that ran this long before it failed starts again with the shortest pause."""
CANCEL_LIMIT_S: Final = 2.0


class Supervisor:
    """Runs services side by side; a failure of one is logged and restarts that one."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._tasks: dict[asyncio.Task[None], Service] = {}

    def start(self, service: Service) -> None:
        """Start a service under supervision."""
        task = asyncio.create_task(self._supervise(service), name=f"service {service.name}")
        self._tasks[task] = service

    async def stop(self) -> None:
        """Let each service drain within its time, then cancel it. Never raises."""
        await asyncio.gather(*(self._stop(task, its) for task, its in self._tasks.items()))
        self._tasks.clear()

    async def _stop(self, task: asyncio.Task[None], service: Service) -> None:
        if service.drain_s > 0:
            await asyncio.wait({task}, timeout=service.drain_s)
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_LIMIT_S)
        if not task.done():
            logger.error("the service %r ignores its cancellation; it is left", service.name)

    async def _supervise(self, service: Service) -> None:
        pauses = Backoff(service.backoff_s, service.max_backoff_s)
        while True:
            started = time.monotonic()
            try:
                return await self._run(service)
            except (Exception, asyncio.CancelledError) as error:
                # A CancelledError may be its own, of a task that it has waited for.
                if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                    raise
                if _is_cancelled() or self._container.stopping.is_set():
                    logger.exception("the service %r failed as it was to stop", service.name)
                    return None
                if time.monotonic() - started > STABLE_AFTER_S:
                    pauses.reset()
                pause_s = pauses.next_s()
                logger.exception(
                    "the service %r failed; it starts again in %.1f s", service.name, pause_s
                )
            if await self._stops_within(pause_s):
                return None

    async def _stops_within(self, pause_s: float) -> bool:
        """Return once the process stops, or the pause is over; whether it stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._container.stopping.wait()
        return self._container.stopping.is_set()

    async def _run(self, service: Service) -> None:
        planned = plan(service.function)
        async with execute(self._container, planned, scoped=service.scoped) as values:
            await service.function(**values)


def _is_cancelled() -> bool:
    """Return whether somebody has cancelled the task that runs here, and still wants that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
