"""The resources that every project has."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Annotated

from ..cache.memory import MemoryStore
from ..cache.settings import Caching
from ..channels.carrying.memory import MemoryBroker
from ..lifecycle import current_container, provide, resource, transaction_here
from ..offloading.running import Offloading, running_offloading
from ..tasks.clock import Clock
from ..tasks.memory import MemoryBackend
from ..tasks.settings import Tasks
from .settings import Server

__all__ = ["memory_cache", "memory_channels", "memory_jobs", "offloading", "task_clock"]


@resource
async def offloading() -> AsyncIterator[Offloading]:
    """Give the threads and processes of `offload`, as many as SERVER says.

    It is the first to open and the last to close: other resources may offload when they do.
    """
    container = current_container()
    server = container.settings.section(Server)
    async with running_offloading(
        container, threads=server.threads, processes=server.offload_processes
    ) as running:
        yield running


@resource
async def memory_cache() -> AsyncIterator[MemoryStore]:
    """Give the cache that ends with this process: CACHE.backend = "memory"."""
    config = current_container().settings.section(Caching)
    yield MemoryStore(max_entries=config.max_entries, max_bytes=config.max_bytes)


@resource
async def memory_channels() -> AsyncIterator[MemoryBroker]:
    """Give what carries messages within this process: CHANNELS.backend = "memory"."""
    yield MemoryBroker()


@resource
async def task_clock() -> AsyncIterator[Clock]:
    """Give the clock that task backends go by; tests let it be later."""
    yield Clock()


@resource
async def memory_jobs(
    clock: Annotated[Clock, provide(task_clock)],
) -> AsyncIterator[MemoryBackend]:
    """Give the jobs that end with this process: TASKS.backend = "memory", for tests."""
    container = current_container()
    tasks = container.settings.section(Tasks)
    yield MemoryBackend(
        clock,
        transaction=functools.partial(transaction_here, container.registry),
        keep_done_s=tasks.keep_done_s,
        keep_dead_s=tasks.keep_dead_s,
    )
