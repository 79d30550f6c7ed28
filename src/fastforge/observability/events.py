"""Events: what happens to jobs and what is measured, named in one place with the units.

What records is elsewhere (`fastforge.tasks`, `fastforge.lifecycle`), and what exports reads that
under these names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = [
    "BREAKER_OPEN",
    "BREAKER_OPENED",
    "BREAKER_REFUSED",
    "CANCELLED",
    "DEAD",
    "ENQUEUED",
    "EVENTS",
    "FAILED",
    "FINISHED",
    "JOBS",
    "JOBS_RUNNING",
    "JOB_DURATION",
    "JOB_QUEUE_LATENCY",
    "LOST",
    "METRICS",
    "PUT_BACK",
    "QUEUE_DEPTH",
    "QUEUE_OLDEST",
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


class MetricKind(StrEnum):
    """How a metric behaves."""

    COUNTER = "counter"
    """It only grows, from the start of the process on."""
    GAUGE = "gauge"
    """It goes up and down."""
    HISTOGRAM = "histogram"
    """Values are counted by size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Something that is measured.

    Args:
        name: Its name, without the unit: `job.duration`.
        kind: How it behaves.
        unit: Of its values, as OpenTelemetry writes units: `s`, `{job}`.
        labels: By what it is told apart; of each there are few values.
        help: What it means, in a sentence.
        bounds: The upper bounds of a histogram's buckets, in its unit.
    """

    name: str
    kind: MetricKind
    unit: str
    labels: tuple[str, ...]
    help: str
    bounds: tuple[float, ...] = ()

    def __repr__(self) -> str:
        return f"<Metric({self.name})>"


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
    ENQUEUED,
    STARTED,
    FINISHED,
    FAILED,
    RETRIED,
    DEAD,
    CANCELLED,
    PUT_BACK,
    LOST,
)
"""All events, in the order of a job's life."""

JOBS: Final = Metric(
    name="jobs",
    kind=MetricKind.COUNTER,
    unit="{job}",
    labels=("event", "task", "queue"),
    help="How often each event happened.",
)
JOB_DURATION: Final = Metric(
    name="job.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=("task", "queue"),
    help="How long an attempt ran, whatever its end.",
    bounds=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800),
)
JOB_QUEUE_LATENCY: Final = Metric(
    name="job.queue_latency",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=("queue",),
    help="How long a job had been due when an attempt began.",
    bounds=(0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800),
)
JOBS_RUNNING: Final = Metric(
    name="jobs.running",
    kind=MetricKind.GAUGE,
    unit="{job}",
    labels=("queue",),
    help="How many jobs run in this process.",
)
WORKER_PLACES: Final = Metric(
    name="worker.places",
    kind=MetricKind.GAUGE,
    unit="{job}",
    labels=(),
    help="How many jobs this process runs at most.",
)
WORKER_BEAT_AGE: Final = Metric(
    name="worker.beat_age",
    kind=MetricKind.GAUGE,
    unit="s",
    labels=(),
    help="How long ago the worker of this process renewed its leases.",
)
WORKER_TROUBLE: Final = Metric(
    name="worker.trouble",
    kind=MetricKind.GAUGE,
    unit="1",
    labels=(),
    help="1 while the task backend fails, else 0.",
)
QUEUE_DEPTH: Final = Metric(
    name="queue.depth",
    kind=MetricKind.GAUGE,
    unit="{job}",
    labels=("queue", "state"),
    help="How many jobs there are, asked of the backend; the same in each process.",
)
QUEUE_OLDEST: Final = Metric(
    name="queue.oldest",
    kind=MetricKind.GAUGE,
    unit="s",
    labels=("queue",),
    help="How long the first of the due jobs has been due, asked of the backend.",
)
BREAKER_OPEN: Final = Metric(
    name="breaker.open",
    kind=MetricKind.GAUGE,
    unit="1",
    labels=("breaker",),
    help="1 while a breaker refuses calls, because what it stands before is away; else 0.",
)
BREAKER_OPENED: Final = Metric(
    name="breaker.opened",
    kind=MetricKind.COUNTER,
    unit="1",
    labels=("breaker",),
    help="How often a breaker has opened.",
)
BREAKER_REFUSED: Final = Metric(
    name="breaker.refused",
    kind=MetricKind.COUNTER,
    unit="{call}",
    labels=("breaker",),
    help="How many calls a breaker has refused.",
)

METRICS: Final = (
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
)
"""All metrics."""
