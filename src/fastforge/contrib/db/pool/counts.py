"""Counts: the numbers behind the gauges of a pool, added to where something happens."""

from __future__ import annotations

from .gauges import Durations

__all__ = ["Counts", "Stopwatch"]


class Stopwatch:
    """A sum of durations."""

    __slots__ = ("count", "max_s", "sum_s")

    def __init__(self) -> None:
        self.count = 0
        self.sum_s = 0.0
        self.max_s = 0.0

    def add(self, duration_s: float) -> None:
        """Add one duration."""
        self.count += 1
        self.sum_s += duration_s
        if duration_s > self.max_s:
            self.max_s = duration_s

    @property
    def reading(self) -> Durations:
        """What has been added until now."""
        return Durations(count=self.count, sum_s=self.sum_s, max_s=self.max_s)


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
