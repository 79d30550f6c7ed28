"""CacheOfTests: the cache in memory of a test, which all that it opens has in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from ..cache import MemoryStore
from ..core.resources import memory_cache
from ..project import Project

__all__ = ["CacheOfTests"]


class CacheOfTests:
    """Stands in the place of `memory_cache`, in every container that a test opens.

    A server in a thread, a command and the test itself find what each of them has cached.
    """

    def __init__(self) -> None:
        self._store: MemoryStore | None = None

    def begin_test(self) -> None:
        """Forget the test before."""
        self._store = None

    def used_by(self, project: Project) -> Project:
        """Return a project whose cache in memory this is."""

        async def cache_of_the_test() -> AsyncIterator[MemoryStore]:
            async with asynccontextmanager(memory_cache.function)() as own:
                self._store = self._store or own
                yield self._store

        stand_in = replace(memory_cache, function=cache_of_the_test)
        return project.overriding(resources={memory_cache: stand_in})
