"""Rate: how many messages a client may send."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Bucket"]


class Bucket:
    """Holds `burst` tokens and fills by `per_s` each second.

    Args:
        per_s: How many on average.
        burst: How many at once.
        now: The time in seconds, which only goes on.
    """

    __slots__ = ("_burst", "_now", "_per_s", "_since", "_tokens")

    def __init__(self, per_s: float, burst: int, now: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._per_s = per_s
        self._now = now
        self._since = now()
        self._tokens = self._burst

    def take(self) -> bool:
        """Take a token; False where there is none."""
        now = self._now()
        self._tokens = min(self._burst, self._tokens + (now - self._since) * self._per_s)
        self._since = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
