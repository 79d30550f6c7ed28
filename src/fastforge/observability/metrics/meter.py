"""Meter: values that are recorded where something happens, in cells that an exporter may share."""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, MutableSequence
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from .metric import Metric, MetricKind
from .source import Sample, value_in

__all__ = ["OVERFLOW", "Cells", "Meter", "Place", "Series", "meter_of", "process_meter"]

logger = logging.getLogger("fastforge.observability")

OVERFLOW: Final = "__overflow__"
"""Stands for each label of what is beyond the limit of its metric."""

Cells: TypeAlias = MutableSequence[float]
"""The numbers of one series: the value; of a histogram its buckets, then the sum."""
Place: TypeAlias = Callable[[Metric, tuple[str, ...], int], Cells]
"""Gives so many cells for a series, each 0."""


class Series:
    """One metric with one set of labels.

    Attributes:
        cells: Its numbers. They may be exchanged for others, with the same values, at any time.
    """

    __slots__ = ("cells", "labels", "metric")

    def __init__(self, metric: Metric, labels: tuple[str, ...], cells: Cells) -> None:
        self.metric = metric
        self.labels = labels
        self.cells = cells

    def add(self, amount: float = 1) -> None:
        """Add to a counter, or to a gauge."""
        self.cells[0] += amount

    def record(self, value: float) -> None:
        """Count a value in a histogram. Costs half a microsecond."""
        cells = self.cells
        cells[bisect_left(self.metric.bounds, value)] += 1
        cells[-1] += value


class Meter:
    """Values that are recorded where something happens.

    Nothing is exported by it: `snapshot` reads it, and whoever exports may have the values kept
    elsewhere, as in a file that outlives the process.

    ```python
    from fastforge.observability.metrics import Meter
    from fastforge.observability.events import EVENT_LOOP_LAG, HTTP_REFUSED

    meter = Meter()
    meter.add(HTTP_REFUSED, "408")
    meter.record(EVENT_LOOP_LAG, value=0.004)
    ```

    Surprises: labels are bounded. Beyond `Metric.limit` sets of labels of one metric further ones
    are counted as one, all of whose labels are `__overflow__`; one line in the log tells of it.
    Any thread may record; what only one thread records may do so by its `series`, without the lock.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal, or the collector, may record while it is held
        # By name: a Metric is hashed by all of its fields, and the heart of a loop records always.
        self._series: dict[str, dict[tuple[str, ...], Series]] = {}
        self._place: Place = _in_memory

    def add(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self.series(metric, *labels).cells[0] += amount

    def set(self, metric: Metric, *labels: str, value: float) -> None:
        """Set a gauge."""
        with self._lock:
            self.series(metric, *labels).cells[0] = value

    def record(self, metric: Metric, *labels: str, value: float) -> None:
        """Count a value in a histogram."""
        with self._lock:
            self.series(metric, *labels).record(value)

    def series(self, metric: Metric, *labels: str) -> Series:
        """Return what a metric with these labels is counted in.

        Args:
            metric: The metric.
            labels: The values of its labels, in their order.
        """
        known = self._series.get(metric.name)
        found = None if known is None else known.get(labels)
        return found or self._new(metric, labels)

    def samples(self) -> Iterator[Sample]:
        """Yield everything that has been recorded."""
        with self._lock:
            found = [each for known in self._series.values() for each in known.values()]
        for series in found:
            value = value_in(series.metric, list(series.cells))
            yield Sample(metric=series.metric, labels=series.labels, value=value)

    def keep_in(self, place: Place | None) -> None:
        """Keep all values elsewhere from now on, those there are included.

        Args:
            place: Gives the cells; None: the memory of this process.
        """
        with self._lock:
            self._place = place or _in_memory
            for known in self._series.values():
                for series in known.values():
                    values = list(series.cells)
                    cells = self._place(series.metric, series.labels, len(values))
                    for number, value in enumerate(values):
                        cells[number] = value
                    series.cells = cells

    def _new(self, metric: Metric, labels: tuple[str, ...]) -> Series:
        with self._lock:
            known = self._series.setdefault(metric.name, {})
            found = known.get(labels)
            if found is not None:
                return found
            if len(known) >= metric.limit:
                labels = (OVERFLOW,) * len(metric.labels)
                if labels in known:
                    return known[labels]
                _tell_overflow(metric)
            cells = self._place(metric, labels, size_of(metric))
            known[labels] = Series(metric, labels, cells)
            return known[labels]


def size_of(metric: Metric) -> int:
    """Return how many cells a series of a metric has."""
    return len(metric.bounds) + 2 if metric.kind is MetricKind.HISTOGRAM else 1


def _in_memory(metric: Metric, labels: tuple[str, ...], count: int) -> Cells:
    return [0.0] * count


def _tell_overflow(metric: Metric) -> None:
    logger.warning(
        "the metric %s has more than %d sets of labels: further ones are counted as %s",
        metric.name,
        metric.limit,
        OVERFLOW,
    )


process_meter: Final = Meter()
"""What is measured of the process itself, whatever project runs in it."""

_of_projects: Final[WeakKeyDictionary[Any, Meter]] = WeakKeyDictionary()


def meter_of(container: Any) -> Meter:
    """Return what is recorded of a running project in this process.

    Args:
        container: The running project, as `current_container()` gives it.
    """
    meter = _of_projects.get(container)
    if meter is None:
        meter = _of_projects[container] = Meter()
    return meter
