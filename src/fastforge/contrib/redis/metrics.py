"""What the pool of Redis connections does in this process, for whoever exports metrics."""

from __future__ import annotations

from collections.abc import Iterator

from ...lifecycle import Container
from ...observability.events import POOL_CONNECTIONS, POOL_MAX, POOL_PENDING
from ...observability.metrics.source import Sample, metric_source
from .pool import POOL_NAME, Pool
from .resources import redis_client

__all__ = ["redis_pool"]


@metric_source
def redis_pool(container: Container) -> Iterator[Sample]:
    """Tell of the client that the process shares; those of one's own are not told."""
    pool = container[redis_client].connection_pool if redis_client in container else None
    if not isinstance(pool, Pool):  # a test has another one
        return
    yield Sample(metric=POOL_CONNECTIONS, labels=(POOL_NAME, "used"), value=pool.used)
    yield Sample(metric=POOL_CONNECTIONS, labels=(POOL_NAME, "idle"), value=pool.idle)
    yield Sample(metric=POOL_MAX, labels=(POOL_NAME,), value=pool.max_connections)
    yield Sample(metric=POOL_PENDING, labels=(POOL_NAME,), value=pool.waiting)
    yield from pool.meter.samples()
