"""Running: what each running project offloads with, from its start to its stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import anyio.to_thread

from ..lifecycle import Container
from .errors import stopped

if TYPE_CHECKING:
    from .gauges import OffloadGauges
    from .offloader import Offloader

__all__ = ["DRAIN_S", "Offloading", "offloading_of", "running_offloading", "watch"]

DRAIN_S: Final = 5.0
"""How long offloaded functions may go on when the project stops, before its resources close."""
SHORT_DRAIN_S: Final = 2.0
"""The same in development and tests, because a reload waits for them."""
ANYIO_THREADS: Final = 40
"""How many threads AnyIO has in an event loop until somebody says otherwise."""
LOOK_EVERY_S: Final = 5.0
"""How often it is looked whether a limit is stuck."""


class Offloading:
    """What a running project has of offloading: little, until something is offloaded.

    Few processes offload before they serve, and each module that is imported before then is a
    part of the time until the first answer.

    Args:
        processes: How many processes may work at the same time.
    """

    def __init__(self, processes: int) -> None:
        self.loop: Final = asyncio.get_running_loop()
        self._processes = processes
        self._offloader: Offloader | None = None

    @property
    def offloader(self) -> Offloader:
        """What runs functions."""
        if self._offloader is None:
            from .offloader import Offloader

            threads = anyio.to_thread.current_default_thread_limiter()
            self._offloader = Offloader(threads, self._processes, self.loop)
        return self._offloader

    def gauges(self) -> OffloadGauges | None:
        """Return what runs and waits now, to any thread; None where nothing knows of it yet."""
        return None if self._offloader is None else self._offloader.gauges()

    async def drain(self, limit_s: float) -> None:
        """Wait until nothing runs, at most so long."""
        if self._offloader is not None:
            await self._offloader.drain(limit_s)

    async def close(self) -> None:
        """End what runs. It never raises."""
        if self._offloader is not None:
            await self._offloader.close()


_of_projects: WeakKeyDictionary[Container, Offloading] = WeakKeyDictionary()


@asynccontextmanager
async def running_offloading(
    container: Container, *, threads: int, processes: int
) -> AsyncIterator[Offloading]:
    """Give a container what it offloads with, and end what runs in it at the close.

    Args:
        container: The running project.
        threads: How many threads the event loop shall have.
        processes: How many processes may work at the same time.
    """
    with _thread_tokens(threads):
        offloading = _of_projects[container] = Offloading(processes)
        try:
            yield offloading
        finally:
            del _of_projects[container]
            await offloading.close()


def offloading_of(container: Container) -> Offloading:
    """Return what a running project offloads with.

    Raises:
        OffloadError: The project has stopped.
    """
    try:
        return _of_projects[container]
    except KeyError:
        raise stopped() from None


async def watch(container: Container, stopping: asyncio.Event) -> None:
    """Tell of limits that are stuck until the project stops; then let functions end."""
    offloading = offloading_of(container)
    while not stopping.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await stopping.wait()
        if not stopping.is_set():
            offloading.offloader.look()
    in_production = container.settings.environment == "production"
    await offloading.drain(DRAIN_S if in_production else SHORT_DRAIN_S)


class _Claim:
    """What one running project wants the number of threads to be."""

    def __init__(self, tokens: float) -> None:
        self.tokens = tokens


_claims: WeakKeyDictionary[asyncio.AbstractEventLoop, list[_Claim]] = WeakKeyDictionary()


@contextmanager
def _thread_tokens(tokens: int) -> Iterator[None]:
    """Set the tokens of AnyIO's default limiter; afterwards they are what they were.

    Surprises: projects that run in one event loop share its threads; of several, the number of
    the one that started last holds. Where it is AnyIO's own already nothing is done: its threads
    are imported with the first that is needed, and few processes need one before they serve.
    """
    loop = asyncio.get_running_loop()
    if tokens == ANYIO_THREADS and loop not in _claims:
        yield
        return
    limiter = anyio.to_thread.current_default_thread_limiter()
    claims = _claims.setdefault(loop, [_Claim(limiter.total_tokens)])
    claim = _Claim(tokens)
    claims.append(claim)
    limiter.total_tokens = tokens
    try:
        yield
    finally:
        claims.remove(claim)
        limiter.total_tokens = claims[-1].tokens
        if len(claims) == 1:
            del _claims[loop]
