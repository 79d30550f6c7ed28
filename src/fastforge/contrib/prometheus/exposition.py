"""Exposition: samples in the text format that Prometheus reads, under its kind of names."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast

from ...observability.metrics import Histogram, Metric, MetricKind, Sample
from .library import (
    Collector,
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    choose_encoder,
)

__all__ = ["exposed", "family_name"]

_UNITS: Final = {"s": "seconds", "By": "bytes"}


def exposed(samples: Iterable[Sample], accept: str) -> tuple[bytes, str]:
    """Return the page and its content type.

    Args:
        samples: What there is to show; those of one metric follow one another.
        accept: What the client reads, as its header says: OpenMetrics where it asks for that.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(samples))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


def family_name(metric: Metric) -> str:
    """Return what Prometheus calls a metric: `http_server_request_duration_seconds`.

    Its dots are underscores and its unit, where it has a name of its own, stands at the end; that
    of a counter has `_total` behind it in the text.
    """
    name, unit = _escaped(metric.name), _UNITS.get(metric.unit)
    return f"{name}_{unit}" if unit and not name.endswith(unit) else name


def _escaped(name: str) -> str:
    return name.replace(".", "_")


class _Collector(Collector):
    """Gives the families of one reading to a registry of one reading."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[Any]:
        for metric, samples in itertools.groupby(self._samples, key=lambda each: each.metric):
            yield _family(metric, samples)


def _family(metric: Metric, samples: Iterable[Sample]) -> Any:
    labels = [_escaped(label) for label in metric.labels]
    name, text = family_name(metric), metric.help
    if metric.kind is MetricKind.HISTOGRAM:
        histogram = HistogramMetricFamily(name, text, labels=labels)
        for sample in samples:
            value = cast(Histogram, sample.value)
            histogram.add_metric(sample.labels, _buckets(value), value.sum)
        return histogram
    make = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = make(name, text, labels=labels)
    for sample in samples:
        family.add_metric(sample.labels, cast(float, sample.value))
    return family


def _buckets(histogram: Histogram) -> Sequence[tuple[str, float]]:
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    return list(zip(bounds, itertools.accumulate(histogram.counts), strict=True))
