"""Snapshots: all that is measured of a running project in this process, at one moment."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final
from weakref import WeakKeyDictionary

from ...exceptions import ForgeError
from .meter import meter_of, process_meter
from .source import METRIC_SOURCES, MetricSource, Sample

__all__ = ["remember", "samples_of_sources", "snapshot", "sources_of"]

logger = logging.getLogger("fastforge.observability")

_remembered: Final[WeakKeyDictionary[Any, dict[str, tuple[Sample, ...]]]] = WeakKeyDictionary()
_told: Final[WeakKeyDictionary[Any, set[str]]] = WeakKeyDictionary()


def snapshot(container: Any) -> tuple[Sample, ...]:
    """Return what is measured of a running project in this process at this moment.

    Any thread may ask. It waits for nobody, and takes some tenths of a millisecond: counters and
    histograms are since the start of the process, gauges are as they are now.

    ```python
    for sample in snapshot(container):
        print(sample.metric.name, dict(zip(sample.metric.labels, sample.labels)), sample.value)
    ```

    Args:
        container: The running project, as `current_container()` gives it.

    Returns:
        The samples; those of one metric need not follow one another.
    """
    recorded = (*process_meter.samples(), *meter_of(container).samples())
    return (*recorded, *samples_of_sources(container))


def samples_of_sources(container: Any) -> Iterator[Sample]:
    """Yield what the sources of a project say."""
    remembered = _remembered.get(container, {})
    for source in sources_of(container):
        if source.every_s:
            yield from remembered.get(source.name, ())
            continue
        try:
            yield from tuple(source.function(container))
        except Exception as error:
            tell_failure(container, source, error)


def sources_of(container: Any) -> Iterator[MetricSource]:
    """Yield the sources that are asked in this kind of process."""
    for source in container.registry.values(METRIC_SOURCES):
        if not source.roles or container.role in source.roles:
            yield source


def remember(container: Any, source: MetricSource, samples: tuple[Sample, ...]) -> None:
    """Keep what an async source has returned, until it is asked again."""
    _remembered.setdefault(container, {})[source.name] = samples


def tell_failure(container: Any, source: MetricSource, error: Exception) -> None:
    """Say once that a source fails; it is asked again at each reading."""
    told = _told.setdefault(container, set())
    if source.name not in told:
        told.add(source.name)
        is_told = isinstance(error, ForgeError)
        logger.warning(
            "the metric source %s fails%s",
            source.name,
            f": {error}" if is_told else "",
            exc_info=None if is_told else error,
        )
