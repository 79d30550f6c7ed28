"""Metric: something that is measured, by name, kind, unit and labels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Across", "Histogram", "Metric", "MetricKind"]


class MetricKind(StrEnum):
    """How a metric behaves."""

    COUNTER = "counter"
    """It only grows, from the start of the process on."""
    GAUGE = "gauge"
    """It goes up and down."""
    HISTOGRAM = "histogram"
    """Values are counted by size."""


class Across(StrEnum):
    """What a gauge of several processes is, taken together."""

    SUM = "sum"
    MAX = "max"
    MIN = "min"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Something that is measured.

    Args:
        name: Its name, without the unit: `job.duration`.
        kind: How it behaves.
        unit: Of its values, as OpenTelemetry writes units: `s`, `By`, `{job}`.
        labels: By what it is told apart; of each there are few values.
        help: What it means, in a sentence.
        bounds: The upper bounds of a histogram's buckets, in its unit.
        across: What a gauge of several processes is together; others are always added.
        limit: How many sets of labels are kept; further ones are counted as `__overflow__`.
    """

    name: str
    kind: MetricKind
    unit: str
    labels: tuple[str, ...]
    help: str
    bounds: tuple[float, ...] = ()
    across: Across = Across.SUM
    limit: int = 500

    def __repr__(self) -> str:
        return f"<Metric({self.name})>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Values by size.

    Attributes:
        bounds: The upper bounds of the buckets, each included.
        counts: How many values are in each bucket; the last one is for what is above all bounds.
        sum: All values together.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.counts)
