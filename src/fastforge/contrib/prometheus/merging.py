"""Merging: what several processes have counted, taken together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import add
from pathlib import Path
from typing import Final

from ...observability.metrics import Across, Histogram, Metric, MetricKind, Sample
from ...observability.metrics.meter import OVERFLOW
from ...observability.metrics.source import value_in
from .shelf import METRIC, SERIES, entries_in, metric_from

__all__ = ["Merged", "cells_of"]

_ACROSS: Final[Mapping[Across, Callable[[float, float], float]]] = {
    Across.SUM: add,
    Across.MAX: max,
    Across.MIN: min,
}


class Merged:
    """The sums of counters and histograms, and what gauges are together.

    Surprises: what comes first says how a metric is read: numbers of a process that knew it with
    other labels or buckets, as before a release, are left out. A metric has as many sets of
    labels as its limit says here too, however many processes there have been.
    """

    def __init__(self) -> None:
        self.families: dict[str, tuple[Metric, dict[tuple[str, ...], list[float]]]] = {}

    def add_file(self, file: Path, *, is_live: bool = True) -> None:
        """Add what a process has counted, and if it lives its gauges."""
        metrics: dict[int, Metric] = {}
        for entry in entries_in(file):
            if entry.kind == METRIC:
                metrics[entry.number] = metric_from(entry.text)
            elif entry.kind == SERIES and (
                is_live or metrics[entry.number].kind is not MetricKind.GAUGE
            ):
                self.add(metrics[entry.number], tuple(entry.text), entry.cells)

    def add_samples(self, samples: Iterable[Sample]) -> None:
        """Add what a process tells itself."""
        for sample in samples:
            self.add(sample.metric, sample.labels, cells_of(sample.value))

    def add(self, metric: Metric, labels: tuple[str, ...], cells: Sequence[float]) -> None:
        """Add one series."""
        if math.isnan(cells[0]):  # a gauge that is not there any more
            return
        known, family = self.families.setdefault(metric.name, (metric, {}))
        if (known.kind, known.labels, known.bounds) != (metric.kind, metric.labels, metric.bounds):
            return
        found = family.get(labels)
        if found is None and len(family) >= known.limit and OVERFLOW not in labels:
            labels = (OVERFLOW,) * len(labels)
            found = family.get(labels)
        if found is None:
            family[labels] = list(cells)
        elif known.kind is MetricKind.GAUGE:
            found[0] = _ACROSS[known.across](found[0], cells[0])
        else:
            for number, value in enumerate(cells):
                found[number] += value

    def samples(self) -> Iterator[Sample]:
        """Yield everything, metric by metric."""
        for metric, family in self.families.values():
            for labels, cells in family.items():
                yield Sample(metric=metric, labels=labels, value=value_in(metric, cells))


def cells_of(value: float | Histogram) -> tuple[float, ...]:
    """Return a value as the numbers of a series."""
    if isinstance(value, Histogram):
        return (*value.counts, value.sum)
    return (value,)
