"""Measuring: what `snapshot` tells of a process, in the form in which a collector takes it.

There is one source of metrics, whoever exports them: FastAPI's own are off, and no provider of
OpenTelemetry's stands in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from ... import __version__
from ...lifecycle import Container
from ...observability.metrics import Histogram, Metric, MetricKind, Sample, snapshot
from .library import InstrumentationScope, Resource, encode_metrics, points

__all__ = ["Reading", "Readings", "encoder"]

Reading: TypeAlias = tuple[int, tuple[Sample, ...]]
"""When something was read, in nanoseconds of UNIX time, and what."""

_UNKNOWN: Final[Any] = None
"""Of a histogram's values: nobody keeps them, and a collector can do without."""


class Readings:
    """Reads what is measured of a running project, from any thread.

    Args:
        container: The project.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._last: Reading | None = None

    def read(self) -> Reading:
        """Return what is measured now; once the project closes, what was so before."""
        return self._last or (time.time_ns(), snapshot(self._container))

    async def read_before_the_end(self) -> None:
        """Keep what is measured when the project begins to stop: its pools are closed then."""
        await self._container.stopping.wait()
        self._last = self.read()


def encoder(resource: Resource) -> Callable[[Sequence[Reading]], bytes]:
    """Return what makes OTLP of the latest reading.

    Args:
        resource: What is known of the process, whose counters begin now.
    """
    began_ns = time.time_ns()
    scope = InstrumentationScope("fastforge", __version__)

    def encoded(readings: Sequence[Reading]) -> bytes:
        at_ns, samples = readings[-1]
        metrics = [
            _metric(metric, its, began_ns=began_ns, at_ns=at_ns)
            for metric, its in _by_metric(samples).items()
        ]
        data = points.MetricsData(
            [
                points.ResourceMetrics(
                    resource, [points.ScopeMetrics(scope, metrics, schema_url="")], schema_url=""
                )
            ]
        )
        body: bytes = encode_metrics(data).SerializeToString()
        return body

    return encoded


def _by_metric(samples: Iterable[Sample]) -> dict[Metric, list[Sample]]:
    by_metric: dict[Metric, list[Sample]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric, []).append(sample)
    return by_metric


def _metric(
    metric: Metric, samples: Iterable[Sample], *, began_ns: int, at_ns: int
) -> points.Metric:
    temporality = points.AggregationTemporality.CUMULATIVE
    data: points.Sum | points.Gauge | points.Histogram
    if metric.kind is MetricKind.HISTOGRAM:
        buckets = [_buckets(sample, began_ns, at_ns) for sample in samples]
        data = points.Histogram([each for each in buckets if each is not None], temporality)
    else:
        numbers = [_number(sample, began_ns, at_ns) for sample in samples]
        kept = [each for each in numbers if each is not None]
        if metric.kind is MetricKind.COUNTER:
            data = points.Sum(kept, temporality, is_monotonic=True)
        else:
            data = points.Gauge(kept)
    return points.Metric(metric.name, metric.help, metric.unit, data)


def _labels(sample: Sample) -> dict[str, str]:
    return dict(zip(sample.metric.labels, sample.labels, strict=False))


def _number(sample: Sample, began_ns: int, at_ns: int) -> points.NumberDataPoint | None:
    if isinstance(sample.value, Histogram):
        return None
    return points.NumberDataPoint(_labels(sample), began_ns, at_ns, float(sample.value))


def _buckets(sample: Sample, began_ns: int, at_ns: int) -> points.HistogramDataPoint | None:
    value = sample.value
    if not isinstance(value, Histogram):
        return None
    return points.HistogramDataPoint(
        attributes=_labels(sample),
        start_time_unix_nano=began_ns,
        time_unix_nano=at_ns,
        count=value.count,
        sum=value.sum,
        bucket_counts=value.counts,
        explicit_bounds=value.bounds,
        min=_UNKNOWN,
        max=_UNKNOWN,
    )
