"""Windows: a storage of `limits` on a store of ours, which is bounded and has clocks of ours."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from ...cache.backend import CacheStore
from ...cache.errors import CacheAway
from .library import SlidingWindowCounterSupport, Storage

__all__ = ["Windows"]


class _Reading(NamedTuple):
    """What two counters were, in the order in which `limits` wants it."""

    before: int
    before_left_s: float
    now: int
    now_left_s: float


class Windows(Storage, SlidingWindowCounterSupport):
    """Counts what somebody asks for, of one limit and for one request.

    Each window of a limit has a counter; how much of the last one still counts goes down as the
    present one goes on. Adding is one step of the store, so that no two who ask at once both have
    the last place; whoever finds it taken gives back what he has added.

    What was read when a place was taken is what its strategy is told of it afterwards: the store
    is not asked again.

    Args:
        store: Where the counters are.
        clock: Gives the seconds by which windows begin: where processes count together, those
            that they have in common.
    """

    STORAGE_SCHEME = None  # nothing is opened by a URL

    def __init__(self, store: CacheStore, clock: Callable[[], float]) -> None:
        super().__init__()
        self._store = store
        self._clock = clock
        self._seen: tuple[str, _Reading] | None = None

    @property
    def base_exceptions(self) -> type[Exception]:
        """What says that the store is away."""
        return CacheAway

    # --- sliding windows ---

    async def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Take places, if there are so many."""
        moment = self._clock()
        reading = await self._read(key, expiry, moment)
        self._seen = key, reading
        weight = reading.before * reading.before_left_s / expiry
        if math.floor(weight + reading.now) + amount > limit:
            return False
        name = _name(key, expiry, moment)
        total = await self._store.add(name, amount, ttl_s=2 * expiry)
        if math.floor(weight + total) > limit:  # others have taken it meanwhile
            total = await self._store.add(name, -amount, ttl_s=2 * expiry)
            self._seen = key, reading._replace(now=max(total, limit - math.floor(weight)))
            return False
        self._seen = key, reading._replace(now=total)
        return True

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return what counts, as it was when a place was taken or refused."""
        if self._seen is not None and self._seen[0] == key:
            return self._seen[1]
        return await self._read(key, expiry, self._clock())

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget what counts."""
        moment = self._clock()
        await self._store.remove([_name(key, expiry, moment), _name(key, expiry, moment - expiry)])

    async def give_back(self, key: str, expiry: int, amount: int = 1) -> None:
        """Give back places that were taken in the present window, if there are any."""
        moment = self._clock()
        if (await self._read(key, expiry, moment)).now >= amount:
            await self._store.add(_name(key, expiry, moment), -amount, ttl_s=2 * expiry)

    async def _read(self, key: str, expiry: int, moment: float) -> _Reading:
        names = [_name(key, expiry, moment - expiry), _name(key, expiry, moment)]
        before, now = (int(each or 0) for each in await self._store.marks(names))
        left_s = expiry - moment % expiry
        return _Reading(max(0, before), left_s if before else 0, max(0, now), left_s + expiry)

    # --- one counter, for the other strategies of `limits` ---

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a counter, whose time begins with it."""
        return await self._store.add(key, amount, ttl_s=expiry)

    async def get(self, key: str) -> int:
        """Return a counter."""
        (found,) = await self._store.marks([key])
        return int(found or 0)

    async def get_expiry(self, key: str) -> float:
        """Return when a counter ends, in seconds since 1970."""
        found = await self._store.read(key, with_left=True)
        return time.time() + (0 if found is None else found.left_s)

    async def clear(self, key: str) -> None:
        """Forget a counter."""
        await self._store.remove([key])

    async def check(self) -> bool:
        """Return whether the store can be asked."""
        try:
            await self._store.marks(["check"])
        except CacheAway:
            return False
        return True

    async def reset(self) -> int | None:
        """Forget all counters."""
        await self._store.clear("")
        return None


def _name(key: str, expiry: int, moment: float) -> str:
    return f"{key}/{math.floor(moment / expiry)}"
