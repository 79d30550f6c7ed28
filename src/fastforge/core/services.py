"""The services that every project has: offloading, the watchdog, and a worker for development."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import ExitStack
from typing import Final

from ..channels.kinds import CHANNELS
from ..channels.serving.upkeep import look_after
from ..ending import leave_behind
from ..lifecycle import Container, DrainSignal, Role, StopSignal, current_container, service
from ..observability.metrics.demand import is_exported
from ..observability.watchdog.settings import Watchdog
from ..offloading.running import DRAIN_S as OFFLOAD_DRAIN_S
from ..offloading.running import offloading_of, watch
from ..tasks.control import Stop
from ..tasks.kinds import TASKS
from ..tasks.settings import Tasks
from ..tasks.working import HAND_BACK_LIMIT_S, has_work, options_of, queues_of, threads_left, work

__all__ = [
    "EMBEDDED_WORKER",
    "channel_upkeep",
    "embedded_worker",
    "loop_watchdog",
    "metric_refresh",
    "offload_watch",
    "where_jobs_run",
    "worker_is_embedded",
]

logger = logging.getLogger("fastforge.worker")

EMBEDDED_WORKER: Final = "FASTFORGE_EMBEDDED_WORKER"
"""Whoever starts a server sets this variable to 1 to have the jobs run in the same process."""
DRAIN_S: Final = 2.0
"""How long running jobs may go on, because a reload waits for them; then they are handed back."""
END_LIMIT_S: Final = DRAIN_S + HAND_BACK_LIMIT_S


def worker_is_embedded(container: Container) -> bool:
    """Return whether this process also runs the project's jobs."""
    wanted = os.environ.get(EMBEDDED_WORKER) == "1" and container.role is Role.WEB
    return wanted and has_work(container.registry, container.settings)


def where_jobs_run(container: Container) -> str:
    """Return, for whoever develops, what becomes of jobs; empty in a project without tasks."""
    if not container.registry.values(TASKS):
        return ""
    if worker_is_embedded(container):
        return f"run in this process: {', '.join(queues_of(container.registry))}"
    if container.settings.section(Tasks).backend == "memory":
        return "stay in memory: only a worker inside the server could run them"
    return "wait for a worker: manage runworker"


@service(roles={Role.WEB}, drain_s=END_LIMIT_S, scoped=False)
async def embedded_worker(draining: DrainSignal) -> None:
    """Run the jobs of the project in the process that serves it, where that was asked for.

    When the server is told to stop, jobs have their time side by side with requests.
    """
    container = current_container()
    if not worker_is_embedded(container):
        return
    drain_s = min(DRAIN_S, container.settings.section(Tasks).drain_s)
    options = options_of(container.registry, container.settings, drain_s=drain_s)
    stop = Stop()
    told = asyncio.create_task(_tell(stop, draining))
    try:
        threads = await work(container, options, stop)
    finally:
        told.cancel()
    if threads:
        logger.warning("%s", threads_left(len(threads)))
        leave_behind(threads)


@service(roles={Role.WEB, Role.WORKER}, scoped=False)
async def loop_watchdog(stopping: StopSignal) -> None:
    """Name what blocks the event loop of this process, or refuse it, as WATCHDOG says."""
    settings = current_container().settings
    watchdog, environment = settings.section(Watchdog), settings.environment
    with ExitStack() as stack:
        # In tests the pytest plugin does it, for the code of the project and not for the tests'.
        if watchdog.is_strict_in(environment) and environment != "test":
            from ..observability.strict.mode import strict_mode

            stack.enter_context(strict_mode())
        if watchdog.is_enabled_in(environment):
            from ..middleware.line import route_template
            from ..observability.watchdog.running import watch_loop

            await watch_loop(watchdog, route_template, stopping)
        await stopping.wait()


@service(drain_s=OFFLOAD_DRAIN_S + 1, scoped=False)
async def offload_watch(stopping: StopSignal) -> None:
    """Tell when a limit of `offload` is stuck; at the stop, let functions end before resources."""
    await watch(current_container(), stopping)


@service(roles={Role.WEB}, scoped=False)
async def channel_upkeep(stopping: StopSignal) -> None:
    """Look after the sockets of the channels, where there are any."""
    container = current_container()
    if container.registry.values(CHANNELS):
        await look_after(container, stopping)


@service(scoped=False)
async def metric_refresh() -> None:
    """Ask what has to be asked for metrics every now and then, where somebody exports them."""
    container = current_container()
    if not is_exported(container):
        return
    from ..observability.metrics.refreshing import refresh

    _ = offloading_of(container).offloader  # other threads could not make it
    await refresh(container)


async def _tell(stop: Stop, draining: asyncio.Event) -> None:
    await draining.wait()
    stop.request()
