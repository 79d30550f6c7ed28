"""The metrics of channels: who is there, what is said, and who does not keep up."""

from __future__ import annotations

from typing import Final

from .metric import Across, Metric, MetricKind

__all__ = [
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
]

_CHANNEL: Final = "channel"
_OUTCOME: Final = "outcome"
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

CHANNEL_CONNECTIONS: Final = Metric(
    name="channel.connections",
    kind=MetricKind.GAUGE,
    unit="{connection}",
    labels=("transport",),
    help="How many clients are connected, by `websocket` and by `sse`.",
)
CHANNEL_MEMBERS: Final = Metric(
    name="channel.members",
    kind=MetricKind.GAUGE,
    unit="{member}",
    labels=(_CHANNEL,),
    help="How many clients are in a channel; whoever is in two rooms of it counts twice.",
)
CHANNEL_ROOMS: Final = Metric(
    name="channel.rooms",
    kind=MetricKind.GAUGE,
    unit="{room}",
    labels=(),
    help="How many names a process listens to.",
)
CHANNEL_JOINS: Final = Metric(
    name="channel.joins",
    kind=MetricKind.COUNTER,
    unit="{join}",
    labels=(_CHANNEL, _OUTCOME),
    help="How often clients asked to join: `joined`, `refused`, `unavailable` or `failed`.",
)
CHANNEL_HANDLER_DURATION: Final = Metric(
    name="channel.handler.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=(_CHANNEL, "message", _OUTCOME),
    help="How long handlers of clients' messages took: `ok`, `refused`, `unavailable`, `failed`.",
    bounds=_SECONDS,
    limit=2000,
)
CHANNEL_PUBLISH_DURATION: Final = Metric(
    name="channel.publish.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=(_CHANNEL, _OUTCOME),
    help="How long it took to hand a message to what carries it: `ok`, `unavailable`, `failed`.",
    bounds=_SECONDS,
)
CHANNEL_DELIVERY_DURATION: Final = Metric(
    name="channel.delivery.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    labels=(_CHANNEL,),
    help="How long after its publication a message was on its way to all of its process's members.",
    bounds=_SECONDS,
)
CHANNEL_DELIVERIES: Final = Metric(
    name="channel.deliveries",
    kind=MetricKind.COUNTER,
    unit="{message}",
    labels=(_CHANNEL,),
    help="How many messages members were given, each counted for itself.",
)
CHANNEL_DROPPED: Final = Metric(
    name="channel.dropped",
    kind=MetricKind.COUNTER,
    unit="{message}",
    labels=(_CHANNEL, "policy"),
    help="How many of them did not reach a client that was behind, by the channel's `overflow`.",
)
CHANNEL_QUEUE_DEPTH: Final = Metric(
    name="channel.queue.depth",
    kind=MetricKind.GAUGE,
    unit="{message}",
    labels=(),
    help="How many messages wait for the client for whom the most wait, looked at every second.",
    across=Across.MAX,
)
CHANNEL_QUEUE_SIZE: Final = Metric(
    name="channel.queue.size",
    kind=MetricKind.GAUGE,
    unit="By",
    labels=(),
    help="What waits for all clients together, looked at every second.",
)
CHANNEL_CLOSES: Final = Metric(
    name="channel.closes",
    kind=MetricKind.COUNTER,
    unit="{connection}",
    labels=("code",),
    help="How many connections were closed from here, by the code of the table.",
)
CHANNEL_ABORTS: Final = Metric(
    name="channel.aborts",
    kind=MetricKind.COUNTER,
    unit="{connection}",
    labels=(),
    help="How many clients took not even their closing, so that nobody waited any more.",
)
CHANNEL_PUBSUB_CONNECTED: Final = Metric(
    name="channel.pubsub.connected",
    kind=MetricKind.GAUGE,
    unit="1",
    labels=(),
    help="1 while a process hears what others publish, 0 while it does not.",
    across=Across.MIN,
)
CHANNEL_PUBSUB_RECONNECTS: Final = Metric(
    name="channel.pubsub.reconnects",
    kind=MetricKind.COUNTER,
    unit="1",
    labels=(),
    help="How often a process hears again after it did not.",
)
