"""Metrics: what a process measures, kept for almost nothing and read by whatever exports it.

Values reach an exporter in one of two ways. What happens often is recorded where it happens, in a
`Meter`; what somebody knows anyway, such as a pool, is asked for when it is read, by a
`metric_source` in an app's `metrics.py`. `snapshot(container)` gives both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .demand import exporting as exporting
    from .demand import is_exported as is_exported
    from .meter import Meter as Meter
    from .meter import meter_of as meter_of
    from .meter import process_meter as process_meter
    from .metric import Across as Across
    from .metric import Histogram as Histogram
    from .metric import Metric as Metric
    from .metric import MetricKind as MetricKind
    from .recording import record_loop_block as record_loop_block
    from .recording import record_loop_lag as record_loop_lag
    from .snapshots import snapshot as snapshot
    from .source import METRIC_SOURCES as METRIC_SOURCES
    from .source import MetricSource as MetricSource
    from .source import Sample as Sample
    from .source import metric_source as metric_source

_LAZY = {
    "METRIC_SOURCES": "source",
    "Across": "metric",
    "Histogram": "metric",
    "Meter": "meter",
    "Metric": "metric",
    "MetricKind": "metric",
    "MetricSource": "source",
    "Sample": "source",
    "exporting": "demand",
    "is_exported": "demand",
    "meter_of": "meter",
    "metric_source": "source",
    "process_meter": "meter",
    "record_loop_block": "recording",
    "record_loop_lag": "recording",
    "snapshot": "snapshots",
}

__all__ = [
    "METRIC_SOURCES",
    "Across",
    "Histogram",
    "Meter",
    "Metric",
    "MetricKind",
    "MetricSource",
    "Sample",
    "exporting",
    "is_exported",
    "meter_of",
    "metric_source",
    "process_meter",
    "record_loop_block",
    "record_loop_lag",
    "snapshot",
]


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
