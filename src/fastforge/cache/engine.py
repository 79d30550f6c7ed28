"""Engine: what all namespaces of one running project share: the store, the flights, the numbers."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeVar

from ..observability.events import CACHE_CALLS, CACHE_DURATION
from ..observability.metrics.meter import Meter, Series
from .backend import CacheStore
from .errors import CacheAway
from .flights import Flights
from .settings import Caching
from .values import Unreadable, joined, split

__all__ = ["Engine", "Entry", "tag_key"]

T = TypeVar("T")


class Entry(NamedTuple):
    """What was found, without its tags.

    Args:
        json: The JSON of the value.
        left_s: How long it will be kept.
    """

    json: bytes
    left_s: float = 0


def tag_key(tag: str) -> str:
    """Return where the mark of a tag stands."""
    return f"t:{tag}"


class Engine:
    """Reads and writes entries; a store that is away is one that has nothing and keeps nothing.

    Attributes:
        config: The section.
        flights: What is being worked out.
        meter: What was measured.
    """

    def __init__(self, config: Caching, store: Callable[[], CacheStore]) -> None:
        self.config = config
        self.flights: Flights[Entry] = Flights()
        self.meter = Meter()
        self._find_store = store
        self._found_store: CacheStore | None = None
        self._series: dict[tuple[str, str], tuple[Series, Series]] = {}

    @property
    def store(self) -> CacheStore:
        """The store; asked for late, since it opens after those who may use it."""
        if self._found_store is None:
            self._found_store = self._find_store()
        return self._found_store

    async def ask(self, operation: str, call: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """Ask the store, and measure it; `otherwise` stands for its answer while it is away."""
        began = time.perf_counter()
        try:
            answer = await call()
        except CacheAway:
            self.count(operation, "error", began)
            return otherwise
        self.count(operation, "ok", began)
        return answer

    def count(self, operation: str, result: str, began: float) -> None:
        """Count a call that began then."""
        key = operation, result
        series = self._series.get(key)
        if series is None:  # the event loop alone records here
            calls = self.meter.series(CACHE_CALLS, operation, result)
            series = self._series[key] = calls, self.meter.series(CACHE_DURATION, operation)
        series[0].add()
        series[1].record(time.perf_counter() - began)

    # --- entries ---

    async def read(self, key: str, *, with_left: bool = False) -> Entry | None:
        """Return the entry of a key whose tags still stand."""
        began = time.perf_counter()
        result = "error"
        try:
            entry = await self._read(key, with_left)
            result = "miss" if entry is None else "hit"
        except CacheAway:
            return None
        finally:
            self.count("get", result, began)
        return entry

    async def _read(self, key: str, with_left: bool) -> Entry | None:
        kept = await self.store.read(key, with_left=with_left)
        if kept is None:
            return None
        try:
            tags, json = split(kept.data)
        except Unreadable:
            return None
        if tags:
            standing = await self.store.marks([tag_key(tag) for tag, _ in tags])
            if [mark for _, mark in tags] != list(standing):
                return None
        return Entry(json, kept.left_s)

    async def write(
        self, key: str, json: bytes, *, ttl_s: float, marks: Sequence[tuple[str, str]] | None
    ) -> bool:
        """Keep an entry; without marks, because they could not be read, nothing is kept."""
        if marks is None or len(json) > self.config.max_value_bytes:
            return False

        async def write() -> bool:
            await self.store.write(key, joined(json, marks), ttl_s=ttl_s)
            return True

        return await self.ask("set", write, False)

    async def marks(self, tags: Sequence[str], *, ttl_s: float) -> Sequence[tuple[str, str]] | None:
        """Return tags with the marks that stand now: those of a value that is made after this."""
        if not tags:
            return ()

        async def standing() -> Sequence[str] | None:
            keys = [tag_key(tag) for tag in tags]
            return await self.store.set_marks(keys, secrets.token_hex(8), ttl_s=ttl_s)

        found = await self.ask("tags", standing, None)
        return None if found is None else list(zip(tags, found, strict=True))

    async def remove(self, operation: str, keys: Sequence[str]) -> bool:
        """Forget keys."""

        async def remove() -> bool:
            await self.store.remove(keys)
            return True

        return await self.ask(operation, remove, False)
