"""Shared: the entries that all processes have in common, in the project's cache."""

from __future__ import annotations

from typing import Final

from ....cache.dependencies import engine_of
from ....cache.errors import CacheAway
from ....lifecycle import Container
from .checking import left_s_of
from .entries import Checked, Entries

__all__ = ["SharedEntries"]

LEAST_S: Final = 1.0
"""What ends sooner is not kept."""


class SharedEntries:
    """Reads and writes entries; a cache that is away has none, and keeps none.

    Args:
        entries: How they are written.
        container: Whose cache it is.
        ttl_s: For how long each is kept at most.
    """

    def __init__(self, entries: Entries, container: Container, *, ttl_s: float) -> None:
        self.entries: Final = entries
        self._engine: Final = engine_of(container)
        self._ttl_s: Final = ttl_s

    async def read(self, key: str) -> Checked | None:
        """Return what stands under a key, if we have written it."""
        try:
            kept = await self._engine.store.read(key)
        except CacheAway:
            return None
        return None if kept is None else self.entries.read(key, kept.data)

    async def write(self, key: str, checked: Checked) -> None:
        """Keep something, no longer than it is good."""
        ttl_s = min(self._ttl_s, left_s_of(checked.identity))
        if ttl_s < LEAST_S:
            return
        try:
            await self._engine.store.write(key, self.entries.written(key, checked), ttl_s=ttl_s)
        except CacheAway:
            return
