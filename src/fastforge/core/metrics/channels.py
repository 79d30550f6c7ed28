"""What the channels of a process do."""

from __future__ import annotations

from collections.abc import Iterator

from ...channels.kinds import CHANNELS
from ...channels.rooms.counts import Counts
from ...channels.rooms.hub import Hub, hub_of
from ...lifecycle import Container, Role
from ...observability.events import (
    CHANNEL_ABORTS,
    CHANNEL_CLOSES,
    CHANNEL_CONNECTIONS,
    CHANNEL_DELIVERIES,
    CHANNEL_DROPPED,
    CHANNEL_JOINS,
    CHANNEL_MEMBERS,
    CHANNEL_PUBSUB_CONNECTED,
    CHANNEL_PUBSUB_RECONNECTS,
    CHANNEL_QUEUE_DEPTH,
    CHANNEL_QUEUE_SIZE,
    CHANNEL_ROOMS,
)
from ...observability.metrics.source import Sample, metric_source

__all__ = ["channels_here"]


@metric_source(roles=[Role.WEB])
def channels_here(container: Container) -> Iterator[Sample]:
    """Tell who is there, and who does not keep up, in a project that has channels."""
    if not container.registry.values(CHANNELS):
        return
    hub = hub_of(container)
    yield from _clients(hub.counts)
    yield from _messages(hub.counts)
    yield Sample(metric=CHANNEL_ROOMS, value=len(hub.rooms))
    yield from _hearing(hub)


def _clients(counts: Counts) -> Iterator[Sample]:
    for transport in ("websocket", "sse"):
        count = counts.connections.get(transport, 0)
        yield Sample(metric=CHANNEL_CONNECTIONS, labels=(transport,), value=count)
    for labels, joins in counts.joins.copy().items():
        yield Sample(metric=CHANNEL_JOINS, labels=labels, value=joins)
    for code, closes in counts.closes.copy().items():
        yield Sample(metric=CHANNEL_CLOSES, labels=(str(code),), value=closes)
    yield Sample(metric=CHANNEL_ABORTS, value=counts.aborts)


def _messages(counts: Counts) -> Iterator[Sample]:
    for tally in counts.tallies.values():
        policy = (tally.name, tally.overflow)
        yield Sample(metric=CHANNEL_MEMBERS, labels=(tally.name,), value=tally.members)
        yield Sample(metric=CHANNEL_DELIVERIES, labels=(tally.name,), value=tally.delivered)
        yield Sample(metric=CHANNEL_DROPPED, labels=policy, value=tally.dropped)
    yield Sample(metric=CHANNEL_QUEUE_DEPTH, value=counts.deepest_queue)
    yield Sample(metric=CHANNEL_QUEUE_SIZE, value=counts.queued_bytes)


def _hearing(hub: Hub) -> Iterator[Sample]:
    """Tell whether the process hears what others publish, once it has had to."""
    hearing = hub.hearing
    if hearing is not None and (hearing.is_connected or hearing.deaf_since is not None):
        yield Sample(metric=CHANNEL_PUBSUB_CONNECTED, value=int(hearing.is_connected))
        yield Sample(metric=CHANNEL_PUBSUB_RECONNECTS, value=hearing.reconnects)
