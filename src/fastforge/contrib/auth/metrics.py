"""By which way this process knows who asks, for whoever exports metrics."""

from __future__ import annotations

from collections.abc import Iterator

from ...lifecycle import Container
from ...observability.events import AUTH_CHECKS_WAITING, AUTH_IDENTITIES
from ...observability.metrics.source import Sample, metric_source
from .resources import identities

__all__ = ["identities_here"]


@metric_source
def identities_here(container: Container) -> Iterator[Sample]:
    """Tell of credentials, once there were any."""
    if identities not in container:
        return
    known = container[identities]
    for way, count in known.counts.items():
        if count:
            yield Sample(metric=AUTH_IDENTITIES, labels=(way,), value=count)
    if known.counts["checked"]:
        yield Sample(metric=AUTH_CHECKS_WAITING, value=known.checking.waiting)
