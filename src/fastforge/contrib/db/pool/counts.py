"""Counts: the numbers behind the gauges of a pool, added to where something happens."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from ....observability.events import POOL_WAIT_TIME
from ....observability.metrics.metric import Histogram
from .gauges import Durations

__all__ = ["Counts", "Stopwatch"]

_BOUNDS: Final = POOL_WAIT_TIME.bounds
"""Those of the time of use as well."""


class Stopwatch:
    """A sum of durations."""

    __slots__ = ("_by_size", "count", "max_s", "sum_s")

    def __init__(self) -> None:
        self._by_size = [0] * (len(_BOUNDS) + 1)
        self.count = 0
        self.sum_s = 0.0
        self.max_s = 0.0

    def add(self, duration_s: float) -> None:
        """Add one duration."""
        self.count += 1
        self.sum_s += duration_s
        self._by_size[bisect_left(_BOUNDS, duration_s)] += 1
        if duration_s > self.max_s:
            self.max_s = duration_s

    @property
    def reading(self) -> Durations:
        """What has been added until now."""
        return Durations(count=self.count, sum_s=self.sum_s, max_s=self.max_s)

    @property
    def histogram(self) -> Histogram:
        """The same by size."""
        return Histogram(bounds=_BOUNDS, counts=tuple(self._by_size), sum=self.sum_s)


class Counts:
    """What has happened to one pool; `DatabaseGauges` says what each number means."""

    __slots__ = ("connects", "invalidations", "timeouts", "uses", "waiting", "waits")

    def __init__(self) -> None:
        self.connects = 0
        self.invalidations = 0
        self.timeouts = 0
        self.waiting = 0
        self.waits = Stopwatch()
        self.uses = Stopwatch()
