"""What the cache of a running project does in this process."""

from __future__ import annotations

from collections.abc import Iterator

from ...cache.dependencies import engine_of
from ...lifecycle import Container
from ...observability.events import CACHE_ENTRIES, CACHE_EVICTIONS, CACHE_SIZE
from ...observability.metrics.source import Sample, metric_source
from ..resources import memory_cache

__all__ = ["cache_here"]


@metric_source
def cache_here(container: Container) -> Iterator[Sample]:
    """Tell of calls, and of what the memory of this process keeps."""
    yield from engine_of(container).meter.samples()
    gauges = container[memory_cache].gauges() if memory_cache in container else None
    if gauges is not None and (gauges.entries or gauges.evicted):
        yield Sample(metric=CACHE_ENTRIES, value=gauges.entries)
        yield Sample(metric=CACHE_SIZE, value=gauges.size_bytes)
        yield Sample(metric=CACHE_EVICTIONS, value=gauges.evicted)
