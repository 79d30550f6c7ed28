"""The metric of rate limits."""

from __future__ import annotations

from typing import Final

from .metric import Metric, MetricKind

__all__ = ["RATE_LIMITED"]

RATE_LIMITED: Final = Metric(
    name="ratelimit.requests",
    kind=MetricKind.COUNTER,
    unit="{request}",
    labels=("ratelimit.by", "ratelimit.outcome"),
    help="How often a limit was asked: passed, refused, or passed uncounted because the storage"
    " was away. Attempts to log in go by `login`.",
)
