"""Memory: a store in this process, bounded in entries and bytes, on a clock that nobody sets."""

from __future__ import annotations

import itertools
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from .backend import Kept, StoreGauges
from .errors import CacheError

__all__ = ["MemoryStore"]

OVERHEAD_BYTES: Final = 200
"""What an entry takes besides its key and its value, about."""


class _Entry(NamedTuple):
    data: bytes
    ends_at: float
    size: int


class _Held(NamedTuple):
    token: str
    ends_at: float


class MemoryStore:
    """Keeps bytes on the event loop of one process; nothing of it survives that.

    Surprises: what is over stays until somebody asks for it or until others need its place; then
    the one that was not asked for the longest goes first, over or not. A value that alone would
    not fit is not kept.

    Args:
        max_entries: How many entries there may be.
        max_bytes: How many bytes they may take together.
        clock: Gives seconds that only grow, whatever becomes of the time of day.
    """

    def __init__(
        self,
        *,
        max_entries: int,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._locks: dict[str, _Held] = {}
        self._fences = itertools.count(1)
        self._size = 0
        self._evicted = 0

    # --- values ---

    async def read(self, key: str, /, *, with_left: bool = False) -> Kept | None:
        """Return what is kept under a key."""
        entry = self._found(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return Kept(entry.data, entry.ends_at - self._clock())

    async def write(self, key: str, data: bytes, /, *, ttl_s: float) -> None:
        """Keep something, in place of what there was."""
        self._put(key, data, self._clock() + ttl_s)

    async def remove(self, keys: Sequence[str], /) -> None:
        """Forget keys."""
        for key in keys:
            self._drop(key)

    async def touch(self, key: str, /, *, ttl_s: float) -> bool:
        """Keep something for so long from now on."""
        entry = self._found(key)
        if entry is None:
            return False
        self._entries[key] = entry._replace(ends_at=self._clock() + ttl_s)
        self._entries.move_to_end(key)
        return True

    async def add(self, key: str, amount: int, /, *, ttl_s: float) -> int:
        """Add to a number."""
        entry = self._found(key)
        if entry is None:
            self._put(key, str(amount).encode(), self._clock() + ttl_s)
            return amount
        try:
            total = int(entry.data) + amount
        except ValueError:
            raise no_number(key) from None
        self._put(key, str(total).encode(), entry.ends_at)
        return total

    # --- marks ---

    async def marks(self, keys: Sequence[str], /) -> Sequence[str | None]:
        """Return the marks that stand under keys."""
        found = [await self.read(key) for key in keys]
        return [None if each is None else each.data.decode() for each in found]

    async def set_marks(self, keys: Sequence[str], mark: str, /, *, ttl_s: float) -> Sequence[str]:
        """Set a mark where none is."""
        ends_at = self._clock() + ttl_s
        standing: list[str] = []
        for key in keys:
            entry = self._found(key)
            data = mark.encode() if entry is None else entry.data
            self._put(key, data, ends_at if entry is None else max(entry.ends_at, ends_at))
            standing.append(data.decode())
        return standing

    # --- locks ---

    async def claim(self, key: str, token: str, /, *, lease_s: float) -> int:
        """Take a lock that nobody has."""
        now = self._clock()
        held = self._locks.get(key)
        if held is not None and held.ends_at > now:
            return 0
        if len(self._locks) >= self._max_entries:
            self._locks = {name: each for name, each in self._locks.items() if each.ends_at > now}
        self._locks[key] = _Held(token, now + lease_s)
        return next(self._fences)

    async def renew(self, key: str, token: str, /, *, lease_s: float) -> bool:
        """Keep a lock for so long from now on."""
        if not self._holds(key, token):
            return False
        self._locks[key] = _Held(token, self._clock() + lease_s)
        return True

    async def release(self, key: str, token: str, /) -> bool:
        """Give a lock back."""
        if not self._holds(key, token):
            return False
        del self._locks[key]
        return True

    def _holds(self, key: str, token: str) -> bool:
        held = self._locks.get(key)
        return held is not None and held.token == token and held.ends_at > self._clock()

    # --- all of it ---

    async def clear(self, prefix: str, /) -> None:
        """Forget all keys that begin like this."""
        for key in [key for key in self._entries if key.startswith(prefix)]:
            self._drop(key)

    def gauges(self) -> StoreGauges:
        """Return what it has."""
        return StoreGauges(entries=len(self._entries), size_bytes=self._size, evicted=self._evicted)

    def _found(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and entry.ends_at <= self._clock():
            self._drop(key)
            return None
        return entry

    def _put(self, key: str, data: bytes, ends_at: float) -> None:
        self._drop(key)
        size = OVERHEAD_BYTES + len(key) + len(data)
        if size > self._max_bytes:
            self._evicted += 1
            return
        self._entries[key] = _Entry(data, ends_at, size)
        self._size += size
        while len(self._entries) > self._max_entries or self._size > self._max_bytes:
            self._evict()

    def _evict(self) -> None:
        _, entry = self._entries.popitem(last=False)
        self._size -= entry.size
        if entry.ends_at > self._clock():
            self._evicted += 1

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size


def no_number(key: str) -> CacheError:
    """Return the error for a number that is none; the key is as the store knows it."""
    return CacheError(
        f"what is cached under {key!r} is no number, and cannot be added to",
        code="cache.E002",
        hint="count under a key of its own",
    )
