"""The metrics of jobs and of what is called through a breaker."""

from __future__ import annotations

from typing import Final

from .metric import Across, Metric, MetricKind

__all__ = [
    "BREAKER_OPEN",
    "BREAKER_OPENED",
    "BREAKER_REFUSED",
    "JOBS",
    "JOBS_RUNNING",
    "JOB_DURATION",
    "JOB_QUEUE_LATENCY",
    "QUEUE_DEPTH",
    "QUEUE_OLDEST",
    "WORKER_BEAT_AGE",
    "WORKER_PLACES",
    "WORKER_TROUBLE",
]

JOBS: Final = Metric(
    name="jobs",
    kind=MetricKind.COUNTER,
    unit="{job}",
    labels=("event", "task", "queue"),
    help="How often each event happened.",
    limit=5000,
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
    across=Across.MAX,
)
WORKER_TROUBLE: Final = Metric(
    name="worker.trouble",
    kind=MetricKind.GAUGE,
    unit="1",
    labels=(),
    help="1 while the task backend fails, else 0.",
    across=Across.MAX,
)
QUEUE_DEPTH: Final = Metric(
    name="queue.depth",
    kind=MetricKind.GAUGE,
    unit="{job}",
    labels=("queue", "state"),
    help="How many jobs there are, asked of the backend; the same in each process.",
    across=Across.MAX,
)
QUEUE_OLDEST: Final = Metric(
    name="queue.oldest",
    kind=MetricKind.GAUGE,
    unit="s",
    labels=("queue",),
    help="How long the first of the due jobs has been due, asked of the backend.",
    across=Across.MAX,
)
BREAKER_OPEN: Final = Metric(
    name="breaker.open",
    kind=MetricKind.GAUGE,
    unit="1",
    labels=("breaker",),
    help="1 while a breaker refuses calls, because what it stands before is away; else 0.",
    across=Across.MAX,
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
