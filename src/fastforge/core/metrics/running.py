"""What a running project has in use: requests, threads, breakers, resources."""

from __future__ import annotations

from collections.abc import Iterator

from ...lifecycle import BreakerState, Container
from ...lifecycle.breakers import breakers_of
from ...middleware.state import edge_states
from ...observability.events import (
    BREAKER_OPEN,
    BREAKER_OPENED,
    BREAKER_REFUSED,
    HTTP_ACTIVE,
    HTTP_SOCKETS,
    OFFLOAD_ABANDONED,
    OFFLOAD_BORROWED,
    OFFLOAD_LIMIT,
    OFFLOAD_PROCESSES,
    OFFLOAD_WAITING,
    RESOURCE_UP,
)
from ...observability.metrics.source import Sample, metric_source
from ...offloading.gauges import PoolGauges
from ...offloading.running import offloading_of

__all__ = ["breakers", "offloaded", "requests_here", "resources_here"]


@metric_source
def requests_here(container: Container) -> Iterator[Sample]:
    """Tell what is being answered, in a process that serves."""
    state = edge_states.get(container)
    if state is not None:
        yield Sample(metric=HTTP_ACTIVE, value=state.in_flight)
        yield Sample(metric=HTTP_SOCKETS, value=state.sockets)


@metric_source
def offloaded(container: Container) -> Iterator[Sample]:
    """Tell of threads and processes; the threads are those of plain `def` handlers too."""
    gauges = offloading_of(container).gauges()
    if gauges is None:
        return
    yield from _places("threads", gauges.threads)
    yield from _places("processes", gauges.processes)
    for name, limiter in gauges.limiters.items():
        yield from _places(name, limiter)
    yield Sample(metric=OFFLOAD_PROCESSES, value=gauges.live_processes)


def _places(name: str, gauges: PoolGauges) -> Iterator[Sample]:
    labels = (name,)
    yield Sample(metric=OFFLOAD_LIMIT, labels=labels, value=gauges.limit)
    yield Sample(metric=OFFLOAD_BORROWED, labels=labels, value=gauges.borrowed)
    yield Sample(metric=OFFLOAD_WAITING, labels=labels, value=gauges.waiting)
    yield Sample(metric=OFFLOAD_ABANDONED, labels=labels, value=gauges.abandoned)


@metric_source
def breakers(container: Container) -> Iterator[Sample]:
    """Tell of the breakers that are watched."""
    for breaker in breakers_of(container):
        labels = (breaker.name,)
        is_open = breaker.state is not BreakerState.CLOSED
        yield Sample(metric=BREAKER_OPEN, labels=labels, value=int(is_open))
        yield Sample(metric=BREAKER_OPENED, labels=labels, value=breaker.opened)
        yield Sample(metric=BREAKER_REFUSED, labels=labels, value=breaker.refused)


@metric_source
def resources_here(container: Container) -> Iterator[Sample]:
    """Tell which resources are open, and which the process goes on without."""
    for resource in container.resources:
        yield Sample(metric=RESOURCE_UP, labels=(resource.name,), value=1)
    for resource in container.registry.values("resources"):
        if container.failure(resource) and resource not in container:
            yield Sample(metric=RESOURCE_UP, labels=(resource.name,), value=0)
