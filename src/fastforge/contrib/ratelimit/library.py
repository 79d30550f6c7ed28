"""limits, or the line that installs it."""

from __future__ import annotations

from ..._utils import missing_extra

try:
    from limits import RateLimitItem, parse_many
    from limits.aio.storage import SlidingWindowCounterSupport, Storage
    from limits.aio.strategies import SlidingWindowCounterRateLimiter
except ImportError as error:
    raise missing_extra("ratelimit", "limits") from error

__all__ = [
    "RateLimitItem",
    "SlidingWindowCounterRateLimiter",
    "SlidingWindowCounterSupport",
    "Storage",
    "parse_many",
]
