"""What the pools of this process do, for whoever exports metrics."""

from __future__ import annotations

from collections.abc import Iterator

from ...lifecycle import Container
from ...observability.events import (
    POOL_CONNECTIONS,
    POOL_CREATED,
    POOL_INVALIDATED,
    POOL_MAX,
    POOL_OVERFLOW,
    POOL_PENDING,
    POOL_TIMEOUTS,
    POOL_USE_TIME,
    POOL_WAIT_TIME,
)
from ...observability.metrics.source import Sample, metric_source
from .pool.watched import WatchedPool
from .resources import databases

__all__ = ["database_pools"]


@metric_source
def database_pools(container: Container) -> Iterator[Sample]:
    """Tell of each database by its name in DATABASES."""
    if databases in container:
        for name, connection in container[databases].items():
            yield from _pool(name, connection.engines.pool)


def _pool(name: str, pool: WatchedPool) -> Iterator[Sample]:
    gauges, counts, labels = pool.gauges, pool.counts, (name,)
    used, idle = (name, "used"), (name, "idle")
    yield Sample(metric=POOL_CONNECTIONS, labels=used, value=gauges.checked_out)
    yield Sample(metric=POOL_CONNECTIONS, labels=idle, value=pool.checkedin())
    yield Sample(metric=POOL_MAX, labels=labels, value=gauges.size + gauges.max_overflow)
    yield Sample(metric=POOL_OVERFLOW, labels=labels, value=gauges.overflow)
    yield Sample(metric=POOL_PENDING, labels=labels, value=gauges.waiting)
    yield Sample(metric=POOL_TIMEOUTS, labels=labels, value=gauges.timeouts)
    yield Sample(metric=POOL_WAIT_TIME, labels=labels, value=counts.waits.histogram)
    yield Sample(metric=POOL_USE_TIME, labels=labels, value=counts.uses.histogram)
    yield Sample(metric=POOL_CREATED, labels=labels, value=gauges.connects)
    yield Sample(metric=POOL_INVALIDATED, labels=labels, value=gauges.invalidations)
