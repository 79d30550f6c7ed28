"""Running: the watchdog of a process, from its start to its stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from .current import RouteOf
from .pool import PoolWatch
from .settings import Watchdog
from .watch import Watch, is_debugged

__all__ = ["watch_loop"]

POOL_EVERY_S: Final = 1.0


async def watch_loop(settings: Watchdog, route_of: RouteOf, stopping: asyncio.Event) -> None:
    """Watch the event loop that runs here, and its threads, until the process stops.

    Nothing is watched in a process that somebody debugs.

    Args:
        settings: What it goes by.
        route_of: What reads the route of the scope of a request.
        stopping: Set at the stop.
    """
    if is_debugged():
        return
    watch = Watch(settings, route_of)
    pool = PoolWatch(watch.reports, settings.pool_threshold_s)
    watch.start()
    try:
        while not stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(min(POOL_EVERY_S, settings.pool_threshold_s)):
                    await stopping.wait()
            pool.look()
    finally:
        watch.stop()
