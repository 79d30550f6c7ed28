"""Near: what this process remembers for a moment, good and bad, bounded in number and in time."""

from __future__ import annotations

import time
from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["Near", "Remembered"]

T = TypeVar("T")

MOST: Final = 10_000


class Remembered(NamedTuple, Generic[T]):
    """Something that is remembered.

    Args:
        value: What.
        until: Until when, on the monotonic clock.
    """

    value: T
    until: float


class Near(Generic[T]):
    """Keeps so many values of one kind; the oldest give way.

    Args:
        ttl_s: For how long each is kept at most.
        most: How many.
    """

    __slots__ = ("_most", "_ttl_s", "found")

    def __init__(self, *, ttl_s: float, most: int = MOST) -> None:
        self._ttl_s = ttl_s
        self._most = most
        self.found: dict[str, Remembered[T]] = {}
        """For whoever looks a key up with each request, past `get`, and checks `until` alone."""

    def get(self, key: str) -> T | None:
        """Return what is remembered of a key."""
        entry = self.found.get(key)
        if entry is None:
            return None
        if time.monotonic() >= entry.until:
            del self.found[key]
            return None
        return entry.value

    def put(self, key: str, value: T, *, left_s: float = float("inf")) -> None:
        """Remember something, for no longer than `left_s`."""
        self.found.pop(key, None)
        while len(self.found) >= self._most:
            del self.found[next(iter(self.found))]
        self.found[key] = Remembered(value, time.monotonic() + min(self._ttl_s, left_s))

    def drop(self, key: str) -> None:
        """Forget a key."""
        self.found.pop(key, None)

    def prune(self) -> None:
        """Forget what is over, the oldest first."""
        now = time.monotonic()
        while self.found and self.found[next(iter(self.found))].until <= now:
            del self.found[next(iter(self.found))]
