"""Events: what happens to jobs and what is measured, named in one place with the units.

What records is elsewhere (`fastforge.tasks`, `fastforge.lifecycle`), and what exports reads that
under these names. The metrics are written in `metrics/of_*.py`, by what they are of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .metrics.metric import Metric, MetricKind
from .metrics.of_auth import AUTH_CHECKS_WAITING, AUTH_IDENTITIES
from .metrics.of_caches import (
    CACHE_CALLS,
    CACHE_DURATION,
    CACHE_ENTRIES,
    CACHE_EVICTIONS,
    CACHE_SIZE,
)
from .metrics.of_channels import (
    CHANNEL_ABORTS,
    CHANNEL_CLOSES,
    CHANNEL_CONNECTIONS,
    CHANNEL_DELIVERIES,
    CHANNEL_DELIVERY_DURATION,
    CHANNEL_DROPPED,
    CHANNEL_HANDLER_DURATION,
    CHANNEL_JOINS,
    CHANNEL_MEMBERS,
    CHANNEL_PUBLISH_DURATION,
    CHANNEL_PUBSUB_CONNECTED,
    CHANNEL_PUBSUB_RECONNECTS,
    CHANNEL_QUEUE_DEPTH,
    CHANNEL_QUEUE_SIZE,
    CHANNEL_ROOMS,
)
from .metrics.of_jobs import (
    BREAKER_OPEN,
    BREAKER_OPENED,
    BREAKER_REFUSED,
    JOB_DURATION,
    JOB_QUEUE_LATENCY,
    JOBS,
    JOBS_RUNNING,
    QUEUE_DEPTH,
    QUEUE_OLDEST,
    WORKER_BEAT_AGE,
    WORKER_PLACES,
    WORKER_TROUBLE,
)
from .metrics.of_limits import RATE_LIMITED
from .metrics.of_mail import MAIL_MESSAGES
from .metrics.of_pools import (
    OFFLOAD_ABANDONED,
    OFFLOAD_BORROWED,
    OFFLOAD_LIMIT,
    OFFLOAD_PROCESSES,
    OFFLOAD_WAITING,
    POOL_CONNECTIONS,
    POOL_CREATED,
    POOL_INVALIDATED,
    POOL_MAX,
    POOL_OVERFLOW,
    POOL_PENDING,
    POOL_TIMEOUTS,
    POOL_USE_TIME,
    POOL_WAIT_TIME,
    RESOURCE_UP,
)
from .metrics.of_processes import (
    BUILD_INFO,
    EVENT_LOOP_BLOCKS,
    EVENT_LOOP_LAG,
    GC_PAUSE,
    LINES_DROPPED,
    PROCESS_CPU,
    PROCESS_FILES,
    PROCESS_MEMORY,
    PROCESS_START,
    PROCESS_THREADS,
    PROCESSES,
    READY,
)
from .metrics.of_requests import (
    HTTP_ACTIVE,
    HTTP_CLIENT_DURATION,
    HTTP_DURATION,
    HTTP_REFUSED,
    HTTP_RESPONSE_SIZE,
    HTTP_SOCKETS,
    HTTP_SOCKETS_CUT,
)

__all__ = [
    "AUTH_CHECKS_WAITING",
    "AUTH_IDENTITIES",
    "BREAKER_OPEN",
    "BREAKER_OPENED",
    "BREAKER_REFUSED",
    "BUILD_INFO",
    "CACHE_CALLS",
    "CACHE_DURATION",
    "CACHE_ENTRIES",
    "CACHE_EVICTIONS",
    "CACHE_SIZE",
    "CANCELLED",
    "CHANNEL_ABORTS",
    "CHANNEL_CLOSES",
    "CHANNEL_CONNECTIONS",
    "CHANNEL_DELIVERIES",
    "CHANNEL_DELIVERY_DURATION",
    "CHANNEL_DROPPED",
    "CHANNEL_HANDLER_DURATION",
    "CHANNEL_JOINS",
    "CHANNEL_MEMBERS",
    "CHANNEL_PUBLISH_DURATION",
    "CHANNEL_PUBSUB_CONNECTED",
    "CHANNEL_PUBSUB_RECONNECTS",
    "CHANNEL_QUEUE_DEPTH",
    "CHANNEL_QUEUE_SIZE",
    "CHANNEL_ROOMS",
    "DEAD",
    "ENQUEUED",
    "EVENTS",
    "EVENT_LOOP_BLOCKS",
    "EVENT_LOOP_LAG",
    "FAILED",
    "FINISHED",
    "GC_PAUSE",
    "HTTP_ACTIVE",
    "HTTP_CLIENT_DURATION",
    "HTTP_DURATION",
    "HTTP_REFUSED",
    "HTTP_RESPONSE_SIZE",
    "HTTP_SOCKETS",
    "HTTP_SOCKETS_CUT",
    "JOBS",
    "JOBS_RUNNING",
    "JOB_DURATION",
    "JOB_QUEUE_LATENCY",
    "LINES_DROPPED",
    "LOST",
    "MAIL_MESSAGES",
    "METRICS",
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
    "PROCESSES",
    "PROCESS_CPU",
    "PROCESS_FILES",
    "PROCESS_MEMORY",
    "PROCESS_START",
    "PROCESS_THREADS",
    "PUT_BACK",
    "QUEUE_DEPTH",
    "QUEUE_OLDEST",
    "RATE_LIMITED",
    "READY",
    "RESOURCE_UP",
    "RETRIED",
    "STARTED",
    "WORKER_BEAT_AGE",
    "WORKER_PLACES",
    "WORKER_TROUBLE",
    "Event",
    "Metric",
    "MetricKind",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happens to a job.

    Args:
        name: Its name, for exporters: `job.dead`.
        help: What it means, in a sentence.
    """

    name: str
    help: str

    def __repr__(self) -> str:
        return f"<Event({self.name})>"


ENQUEUED: Final = Event(
    name="job.enqueued", help="A job was enqueued; its transaction may still roll back."
)
STARTED: Final = Event(name="job.started", help="An attempt began.")
FINISHED: Final = Event(name="job.finished", help="An attempt succeeded; the job is done.")
FAILED: Final = Event(name="job.failed", help="An attempt failed, or could not begin.")
RETRIED: Final = Event(name="job.retried", help="After a failed attempt the job is tried again.")
DEAD: Final = Event(name="job.dead", help="A job failed for good.")
CANCELLED: Final = Event(name="job.cancelled", help="A running job was cancelled by somebody.")
PUT_BACK: Final = Event(
    name="job.put_back",
    help="A job was given back uncounted: this worker does not know it, or is stopping.",
)
LOST: Final = Event(
    name="job.lost", help="A worker lost the lease of a job; it runs again, perhaps elsewhere."
)

EVENTS: Final = (
    ENQUEUED, STARTED, FINISHED, FAILED, RETRIED, DEAD, CANCELLED, PUT_BACK, LOST,
)  # fmt: skip
"""All events, in the order of a job's life."""

METRICS: Final = (
    HTTP_DURATION,
    HTTP_RESPONSE_SIZE,
    HTTP_ACTIVE,
    HTTP_SOCKETS,
    HTTP_SOCKETS_CUT,
    HTTP_REFUSED,
    HTTP_CLIENT_DURATION,
    MAIL_MESSAGES,
    RATE_LIMITED,
    CHANNEL_CONNECTIONS,
    CHANNEL_MEMBERS,
    CHANNEL_ROOMS,
    CHANNEL_JOINS,
    CHANNEL_HANDLER_DURATION,
    CHANNEL_PUBLISH_DURATION,
    CHANNEL_DELIVERY_DURATION,
    CHANNEL_DELIVERIES,
    CHANNEL_DROPPED,
    CHANNEL_QUEUE_DEPTH,
    CHANNEL_QUEUE_SIZE,
    CHANNEL_CLOSES,
    CHANNEL_ABORTS,
    CHANNEL_PUBSUB_CONNECTED,
    CHANNEL_PUBSUB_RECONNECTS,
    JOBS,
    JOB_DURATION,
    JOB_QUEUE_LATENCY,
    JOBS_RUNNING,
    WORKER_PLACES,
    WORKER_BEAT_AGE,
    WORKER_TROUBLE,
    QUEUE_DEPTH,
    QUEUE_OLDEST,
    BREAKER_OPEN,
    BREAKER_OPENED,
    BREAKER_REFUSED,
    POOL_CONNECTIONS,
    POOL_MAX,
    POOL_OVERFLOW,
    POOL_PENDING,
    POOL_TIMEOUTS,
    POOL_WAIT_TIME,
    POOL_USE_TIME,
    POOL_CREATED,
    POOL_INVALIDATED,
    OFFLOAD_LIMIT,
    OFFLOAD_BORROWED,
    OFFLOAD_WAITING,
    OFFLOAD_ABANDONED,
    OFFLOAD_PROCESSES,
    RESOURCE_UP,
    AUTH_IDENTITIES,
    AUTH_CHECKS_WAITING,
    CACHE_CALLS,
    CACHE_DURATION,
    CACHE_ENTRIES,
    CACHE_SIZE,
    CACHE_EVICTIONS,
    EVENT_LOOP_LAG,
    EVENT_LOOP_BLOCKS,
    GC_PAUSE,
    PROCESSES,
    PROCESS_CPU,
    PROCESS_MEMORY,
    PROCESS_FILES,
    PROCESS_THREADS,
    PROCESS_START,
    READY,
    LINES_DROPPED,
    BUILD_INFO,
)
"""All metrics."""
