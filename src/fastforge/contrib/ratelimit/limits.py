"""Limits: so many in so long, read from the notation of `limits`."""

from __future__ import annotations

from dataclasses import dataclass

from .library import RateLimitItem, parse_many
from .settings import usable_limits

__all__ = ["Limit", "limits_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many in so long.

    Args:
        item: As `limits` has it.
    """

    item: RateLimitItem

    @property
    def amount(self) -> int:
        """How many."""
        return self.item.amount

    @property
    def window_s(self) -> int:
        """In how long, in seconds."""
        return self.item.get_expiry()

    def __str__(self) -> str:
        times = f"{self.item.multiples} " if self.item.multiples > 1 else ""
        return f"{self.amount}/{times}{self.item.GRANULARITY.name}"


def limits_of(text: str) -> tuple[Limit, ...]:
    """Return the limits that a text lists, the shortest first; none of an empty one.

    Who is stopped by the shortest has not used up any of the others.

    >>> [str(limit) for limit in limits_of("100/day; 5 per 2 minutes")]
    ['5/2 minute', '100/day']

    Raises:
        ValueError: It lists no limits, with what to write.
    """
    if not text.strip():
        return ()
    limits = [Limit(item=item) for item in parse_many(usable_limits(text))]
    return (*sorted(limits, key=lambda limit: limit.window_s),)
