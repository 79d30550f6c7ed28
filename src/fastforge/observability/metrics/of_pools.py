"""The metrics of what a process has a limited number of: connections, threads, processes."""

from __future__ import annotations

from typing import Final

from .metric import Across, Metric, MetricKind

__all__ = [
    "OFFLOAD_ABANDONED",
    "OFFLOAD_BORROWED",
    "OFFLOAD_LIMIT",
    "OFFLOAD_PROCESSES",
    "OFFLOAD_WAITING",
    "POOL_CONNECTIONS",
    "POOL_CREATED",
    "POOL_INVALIDATED",
    "POOL_MAX",
    "POOL_OVERFLOW",
    "POOL_PENDING",
    "POOL_TIMEOUTS",
    "POOL_USE_TIME",
    "POOL_WAIT_TIME",
    "RESOURCE_UP",
]

_POOL: Final = "db.client.connection.pool.name"
_STATE: Final = "db.client.connection.state"
_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)

POOL_CONNECTIONS: Final = Metric(
    name="db.client.connection.count",
    kind=MetricKind.GAUGE,
    unit="{connection}",
    labels=(_POOL, _STATE),
    help="How many connections a pool has, `used` and `idle`.",
)
POOL_MAX: Final = Metric(
    name="db.client.connection.max",
    kind=MetricKind.GAUGE,
    unit="{connection}",
    labels=(_POOL,),
    help="How many connections a pool may have.",
)
POOL_OVERFLOW: Final = Metric(
    name="db.client.connection.overflow",
    kind=MetricKind.GAUGE,
    unit="{connection}",
    labels=(_POOL,),
    help="How many connections there are above the size of a pool.",
)
POOL_PENDING: Final = Metric(
    name="db.client.connection.pending_requests",
    kind=MetricKind.GAUGE,
    unit="{request}",
    labels=(_POOL,),
    help="How many callers wait for a connection.",
)
POOL_TIMEOUTS: Final = Metric(
    name="db.client.connection.timeouts",
    kind=MetricKind.COUNTER,
    unit="{timeout}",
    labels=(_POOL,),
    help="How many callers gave up, because no connection was free in time.",
)
POOL_WAIT_TIME: Final = Metric(
    name="db.client.connection.wait_time",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=(_POOL,),
    help="How long callers waited for a connection; who has one at once has not waited.",
    bounds=_SECONDS,
)
POOL_USE_TIME: Final = Metric(
    name="db.client.connection.use_time",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=(_POOL,),
    help="How long connections were in use, each time.",
    bounds=_SECONDS,
)
POOL_CREATED: Final = Metric(
    name="db.client.connection.created",
    kind=MetricKind.COUNTER,
    unit="{connection}",
    labels=(_POOL,),
    help="How many connections were made.",
)
POOL_INVALIDATED: Final = Metric(
    name="db.client.connection.invalidated",
    kind=MetricKind.COUNTER,
    unit="{connection}",
    labels=(_POOL,),
    help="How many connections were thrown away: broken, or used by somebody who was cancelled.",
)
OFFLOAD_LIMIT: Final = Metric(
    name="offload.limit",
    kind=MetricKind.GAUGE,
    unit="{place}",
    labels=("limiter",),
    help="How many functions may run in threads or processes at the same time.",
)
OFFLOAD_BORROWED: Final = Metric(
    name="offload.borrowed",
    kind=MetricKind.GAUGE,
    unit="{place}",
    labels=("limiter",),
    help="How many places are taken.",
)
OFFLOAD_WAITING: Final = Metric(
    name="offload.waiting",
    kind=MetricKind.GAUGE,
    unit="{call}",
    labels=("limiter",),
    help="How many callers wait for a place.",
)
OFFLOAD_ABANDONED: Final = Metric(
    name="offload.abandoned",
    kind=MetricKind.GAUGE,
    unit="{call}",
    labels=("limiter",),
    help="How many places are taken by functions whose callers have left.",
)
OFFLOAD_PROCESSES: Final = Metric(
    name="offload.processes",
    kind=MetricKind.GAUGE,
    unit="{process}",
    labels=(),
    help="How many processes for offloaded functions there are.",
)
RESOURCE_UP: Final = Metric(
    name="resource.up",
    kind=MetricKind.GAUGE,
    unit="1",
    labels=("resource",),
    help="1 for a resource that is open, 0 for one that the process goes on without.",
    across=Across.MIN,
)
