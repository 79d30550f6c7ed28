"""The metrics of the cache."""

from __future__ import annotations

from typing import Final

from .metric import Metric, MetricKind

__all__ = ["CACHE_CALLS", "CACHE_DURATION", "CACHE_ENTRIES", "CACHE_EVICTIONS", "CACHE_SIZE"]

_OPERATION: Final = "cache.operation"

CACHE_CALLS: Final = Metric(
    name="cache.calls",
    kind=MetricKind.COUNTER,
    unit="{call}",
    labels=(_OPERATION, "cache.result"),
    help="How often the cache was asked: `hit`, `miss`, `ok`, or `error` while it is away.",
)
CACHE_DURATION: Final = Metric(
    name="cache.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=(_OPERATION,),
    help="How long calls of the cache took.",
    bounds=(0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1),
)
CACHE_ENTRIES: Final = Metric(
    name="cache.entries",
    kind=MetricKind.GAUGE,
    unit="{entry}",
    labels=(),
    help="How many values the memory of processes keeps.",
)
CACHE_SIZE: Final = Metric(
    name="cache.size",
    kind=MetricKind.GAUGE,
    unit="By",
    labels=(),
    help="What they take together.",
)
CACHE_EVICTIONS: Final = Metric(
    name="cache.evictions",
    kind=MetricKind.COUNTER,
    unit="{entry}",
    labels=(),
    help="How many gave way to others before their time was over.",
)
