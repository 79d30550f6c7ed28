"""The resources that every project has."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ..lifecycle import current_container, resource
from ..offloading.running import Offloading, running_offloading
from ..tasks.memory import MemoryBackend
from .settings import Server

__all__ = ["memory_jobs", "offloading"]


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
async def memory_jobs() -> AsyncIterator[MemoryBackend]:
    """Give the jobs that end with this process: TASKS.backend = "memory", for tests."""
    yield MemoryBackend()
