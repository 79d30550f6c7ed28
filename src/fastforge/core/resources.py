"""The resources that every project has."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ..lifecycle import resource
from ..tasks.memory import MemoryBackend

__all__ = ["memory_jobs"]


@resource
async def memory_jobs() -> AsyncIterator[MemoryBackend]:
    """Give the jobs that end with this process: TASKS.backend = "memory", for tests."""
    yield MemoryBackend()
