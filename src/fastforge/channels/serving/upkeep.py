"""Upkeep: what every socket needs now and then, done by one task for all of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from ...lifecycle import Container
from ..rooms.hub import hub_of
from .farewell import Farewell
from .guarding import ChannelGuard

__all__ = ["look_after"]

TICK_S: Final = 0.25


async def look_after(container: Container, stopping: asyncio.Event) -> None:
    """Let tokens end, and clients go who do not read, until the process stops.

    Args:
        container: The running project.
        stopping: Set at the stop.
    """
    hub = hub_of(container)
    farewell = Farewell(container, hub)
    guards: tuple[ChannelGuard, ...] = container.registry.values("channel_guards")
    watching = [
        asyncio.ensure_future(guard.watch(hub.users)) for guard in guards if guard.watch is not None
    ]
    try:
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), TICK_S)
            hub.tick(hub.clock.monotonic())
            farewell.tick(hub.clock.monotonic())
            for task in watching:
                if task.done():
                    task.result()  # the service fails, is told of, and begins anew
    finally:
        for task in watching:
            task.cancel()
        if stopping.is_set():  # else this begins anew, and those who have joined stay
            hub.close()
