"""Running: the offloader of each running project, from its start to its stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from weakref import WeakKeyDictionary

from ..lifecycle import Container
from .offloader import Offloader
from .threads import thread_tokens

__all__ = ["DRAIN_S", "offloader_of", "running_offloader", "watch"]

DRAIN_S: Final = 5.0
"""How long offloaded functions may go on when the project stops, before its resources close."""
SHORT_DRAIN_S: Final = 2.0
"""The same in development and tests, because a reload waits for them."""
LOOK_EVERY_S: Final = 5.0
"""How often it is looked whether a limit is stuck."""

_offloaders: WeakKeyDictionary[Container, Offloader] = WeakKeyDictionary()


@asynccontextmanager
async def running_offloader(
    container: Container, *, threads: int, processes: int
) -> AsyncIterator[Offloader]:
    """Give a container its offloader, and end what runs in it at the close.

    Args:
        container: The running project.
        threads: How many threads the event loop shall have.
        processes: How many processes may work at the same time.
    """
    with thread_tokens(threads) as limiter:
        offloader = _offloaders[container] = Offloader(limiter, processes)
        try:
            yield offloader
        finally:
            del _offloaders[container]
            await offloader.close()


def offloader_of(container: Container) -> Offloader:
    """Return the offloader of a running project.

    Raises:
        OffloadError: The project has stopped.
    """
    try:
        return _offloaders[container]
    except KeyError:
        from .telling import stopped

        raise stopped() from None


async def watch(container: Container, stopping: asyncio.Event) -> None:
    """Tell of limits that are stuck until the project stops; then let functions end."""
    offloader = offloader_of(container)
    while not stopping.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await stopping.wait()
        offloader.look()
    in_production = container.settings.environment == "production"
    await offloader.drain(DRAIN_S if in_production else SHORT_DRAIN_S)
