"""What the jobs of a process do, and what waits in their queues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ...lifecycle import Container, Role
from ...observability.events import (
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
from ...observability.metrics.source import Sample, metric_source
from ...tasks.backend import BackendAway, BackendUnready, backend_of
from ...tasks.gauges import JobGauges, meter_of
from ...tasks.kinds import TASKS
from ...tasks.records import QueueStats
from ..services import worker_is_embedded

__all__ = ["jobs_here", "queues"]

_STATES: Final = ("ready", "scheduled", "held", "running", "dead")


@metric_source
def jobs_here(container: Container) -> Iterator[Sample]:
    """Tell what the jobs of this process do, in a project that has tasks."""
    if not container.registry.values(TASKS):
        return
    gauges = meter_of(container).gauges()
    for labels, count in gauges.events.items():
        yield Sample(metric=JOBS, labels=labels, value=count)
    for labels_, durations in gauges.durations.items():
        yield Sample(metric=JOB_DURATION, labels=labels_, value=durations)
    for queue, latencies in gauges.latencies.items():
        yield Sample(metric=JOB_QUEUE_LATENCY, labels=(queue,), value=latencies)
    for queue, count in gauges.running.items():
        yield Sample(metric=JOBS_RUNNING, labels=(queue,), value=count)
    if gauges.places:
        yield from _worker(gauges)


def _worker(gauges: JobGauges) -> Iterator[Sample]:
    yield Sample(metric=WORKER_PLACES, value=gauges.places)
    yield Sample(metric=WORKER_TROUBLE, value=int(gauges.in_trouble))
    if gauges.beat_age_s is not None:
        yield Sample(metric=WORKER_BEAT_AGE, value=gauges.beat_age_s)


@metric_source(every_s=15)
async def queues(container: Container) -> tuple[Sample, ...]:
    """Ask the backend what waits, in processes that run jobs: others would ask it in vain."""
    if container.role is not Role.WORKER and not worker_is_embedded(container):
        return ()
    if not container.registry.values(TASKS):
        return ()
    try:
        found = await backend_of(container).desk.stats()
    except (BackendAway, BackendUnready):  # the worker says so, and goes on asking
        return ()
    return tuple(sample for stats in found for sample in _queue(stats))


def _queue(stats: QueueStats) -> Iterator[Sample]:
    for state in _STATES:
        yield Sample(metric=QUEUE_DEPTH, labels=(stats.queue, state), value=getattr(stats, state))
    yield Sample(metric=QUEUE_OLDEST, labels=(stats.queue,), value=stats.oldest_ready_s or 0)
