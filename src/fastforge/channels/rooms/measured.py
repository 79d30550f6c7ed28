"""Measured: what channels do, as metrics, spans and the ids of log lines tell of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from fastapi.exceptions import HTTPException

from ...exceptions import ForgeError
from ...lifecycle import Container
from ...observability.context import channel as channel_here
from ...observability.context import user_id
from ...observability.metrics.demand import is_exported
from ...observability.metrics.meter import meter_of
from ...observability.metrics.metric import Metric
from ...observability.metrics.of_channels import (
    CHANNEL_DELIVERY_DURATION,
    CHANNEL_HANDLER_DURATION,
    CHANNEL_PUBLISH_DURATION,
)
from ...observability.paths import masked_path
from ...observability.settings import Logging
from ...observability.tracing import Attributes, span
from ..declaring.patterns import Pattern
from ..errors import ChannelUnavailable
from ..sockets.connection import Connection

if TYPE_CHECKING:
    from ..declaring.channel import Channel
    from .hub import Hub

__all__ = ["about", "handling", "outcome_of", "publish_measured", "shown_name", "tell_user"]

OK: Final = "ok"
SERVER_ERROR: Final = 500


def outcome_of(error: BaseException) -> str:
    """Return how something ended that has raised: a word of which there are few."""
    if isinstance(error, ChannelUnavailable):
        return "unavailable"
    if not isinstance(error, Exception):
        return "cancelled"
    status = error.status_code if isinstance(error, HTTPException) else SERVER_ERROR
    if isinstance(error, ForgeError):
        status = getattr(error, "status", SERVER_ERROR)
    return "refused" if status < SERVER_ERROR else "failed"


async def publish_measured(
    container: Container, hub: Hub, channel: type[Channel], name: str, data: bytes, exclude: str
) -> None:
    """Send a message to every process; measure it, and how long it takes to those who are here.

    Raises:
        ChannelUnavailable: It cannot be sent now.
    """
    assert channel.pattern is not None
    pattern = channel.pattern.text
    started = time.perf_counter()
    with (
        _measuring(container, CHANNEL_PUBLISH_DURATION, pattern),
        span(f"publish {pattern}", kind="producer", attributes=_told_of("publish", name, pattern)),
    ):
        id_ = await hub.publish(channel, name, data, exclude)
    room = hub.rooms.get(name)
    if room is not None and room.members and is_exported(container):
        series = meter_of(container).series(CHANNEL_DELIVERY_DURATION, pattern)
        room.when_given(id_, started, series.record)


@contextmanager
def handling(container: Container, channel: Channel, message: str) -> Iterator[None]:
    """Measure what a handler does with a message of a client, and record it as a trace of its own.

    Args:
        container: The running project.
        channel: The client's.
        message: The `type` of the message.
    """
    assert channel.pattern is not None
    pattern, tracing = channel.pattern.text, container.tracing
    told = {**_told_of("handle", channel.name, pattern), "fastforge.message": message}
    recorded = nullcontext() if tracing is None else tracing.message(f"handle {pattern}", told)
    with _measuring(container, CHANNEL_HANDLER_DURATION, pattern, message), recorded:
        yield


@contextmanager
def about(
    container: Container, connection: Connection, name: str, pattern: Pattern | None
) -> Iterator[None]:
    """Let the log lines of what runs inside say which channel it is about, and whose.

    Args:
        container: The running project.
        connection: The client's.
        name: The name of the channel, as the client says it.
        pattern: That of its class; None where there is none, and so nothing to say.
    """
    shown = None if pattern is None else shown_name(name, pattern)
    channel_token, user_token = channel_here.set(shown), user_id.set(user_id.get())
    tell_user(container, connection)
    try:
        yield
    finally:
        user_id.reset(user_token)
        channel_here.reset(channel_token)


def tell_user(container: Container, connection: Connection) -> None:
    """Let log lines from here on say whose a connection is, where LOGGING wants that."""
    user = connection.user
    if user is not None and container.settings.section(Logging).user_id:
        user_id.set(str(user.id))


def shown_name(name: str, pattern: Pattern) -> str:
    """Return the name of a channel, without the parts that are called as secrets are."""
    return masked_path(name, pattern.text)


@contextmanager
def _measuring(container: Container, metric: Metric, *labels: str) -> Iterator[None]:
    started, outcome = time.perf_counter(), OK
    try:
        yield
    except BaseException as error:
        outcome = outcome_of(error)
        raise
    finally:
        if is_exported(container):
            took_s = time.perf_counter() - started
            meter_of(container).record(metric, *labels, outcome, value=took_s)


def _told_of(operation: str, name: str, pattern: str) -> Attributes:
    return {
        "messaging.system": "fastforge",
        "messaging.operation.name": operation,
        "messaging.operation.type": "send" if operation == "publish" else "process",
        "messaging.destination.name": masked_path(name, pattern),
        "messaging.destination.template": pattern,
    }
