"""Gauges: what the jobs of one process do, counted where it happens, and read as values."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from ..lifecycle import Container, current_container
from ..observability.events import JOB_DURATION, JOB_QUEUE_LATENCY, Event
from ..observability.metrics.metric import Histogram

__all__ = ["Histogram", "JobGauges", "JobMeter", "job_gauges", "meter_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGauges:
    """The jobs of one process, since it began. `fastforge.observability.events` has the names.

    Attributes:
        events: How often each event happened, by its name, the task and the queue.
        durations: How long attempts ran in seconds, by task and queue.
        latencies: How long jobs had been due when they began in seconds, by queue.
        running: How many jobs run, by queue.
        places: How many may run at the same time; 0 where no worker is.
        beat_age_s: How long ago the worker renewed its leases; None where it has not yet.
        in_trouble: Whether the task backend fails at present.
    """

    events: Mapping[tuple[str, str, str], int]
    durations: Mapping[tuple[str, str], Histogram]
    latencies: Mapping[str, Histogram]
    running: Mapping[str, int]
    places: int = 0
    beat_age_s: float | None = None
    in_trouble: bool = False


class JobMeter:
    """Counts, on the event loop alone: a few dictionaries and no lock.

    Attributes:
        places: How many jobs may run at the same time.
        in_trouble: Whether the task backend fails at present.
    """

    def __init__(self) -> None:
        self.places = 0
        self.in_trouble = False
        self._events: Counter[tuple[str, str, str]] = Counter()
        self._durations: dict[tuple[str, str], _Buckets] = {}
        self._latencies: dict[str, _Buckets] = {}
        self._running: Counter[str] = Counter()
        self._beat_at: float | None = None

    def count(self, event: Event, task: str, queue: str) -> None:
        """Count an event."""
        self._events[event.name, task, queue] += 1

    def began(self, queue: str, latency_s: float | None) -> None:
        """Count a job as running, and how long it had been due, where that is known."""
        self._running[queue] += 1
        if latency_s is not None:
            buckets = self._latencies.get(queue)
            if buckets is None:
                buckets = self._latencies[queue] = _Buckets(JOB_QUEUE_LATENCY.bounds)
            buckets.add(max(latency_s, 0))

    def ended(self, task: str, queue: str, duration_s: float) -> None:
        """Count a job as running no more."""
        self._running[queue] -= 1
        buckets = self._durations.get((task, queue))
        if buckets is None:
            buckets = self._durations[task, queue] = _Buckets(JOB_DURATION.bounds)
        buckets.add(duration_s)

    def beat(self) -> None:
        """Note that the worker has renewed its leases."""
        self._beat_at = time.monotonic()

    def gauges(self) -> JobGauges:
        """Return what has been counted until now."""
        return JobGauges(
            events=dict(self._events),
            durations={key: buckets.read() for key, buckets in self._durations.items()},
            latencies={key: buckets.read() for key, buckets in self._latencies.items()},
            running={queue: count for queue, count in self._running.items() if count},
            places=self.places,
            beat_age_s=None if self._beat_at is None else time.monotonic() - self._beat_at,
            in_trouble=self.in_trouble,
        )


@dataclass(slots=True)
class _Buckets:
    """A histogram that is being filled."""

    bounds: tuple[float, ...]
    counts: list[int] = field(init=False)
    sum: float = 0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def read(self) -> Histogram:
        return Histogram(bounds=self.bounds, counts=tuple(self.counts), sum=self.sum)


_of_projects: Final[WeakKeyDictionary[Container, JobMeter]] = WeakKeyDictionary()


def meter_of(container: Container) -> JobMeter:
    """Return what counts the jobs of a running project in this process."""
    meter = _of_projects.get(container)
    if meter is None:
        meter = _of_projects[container] = JobMeter()
    return meter


def job_gauges() -> JobGauges:
    """Return what the jobs of the running project do in this process at this moment.

    ```python
    gauges = job_gauges()
    print(gauges.running, gauges.in_trouble)
    ```

    Raises:
        ContainerMissing: No project runs here.
    """
    return meter_of(current_container()).gauges()
