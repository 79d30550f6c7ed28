"""Membership: one client in one room."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .frames import Frame

if TYPE_CHECKING:
    from .channel import Channel
    from .outbox import Outbox

__all__ = ["Membership"]


class Membership:
    """What is kept of a client that has joined, and how its messages are bounded.

    While the client is joining, what is said is kept back: first it gets its answer, then what it
    has missed, then that.

    Args:
        channel: The object of the client's.
        outbox: Where its messages go.
    """

    __slots__ = (
        "_kept_back", "_outbox", "channel", "connection_id", "dropped", "last_dropped_id",
        "name", "overflow", "queue_bytes", "queue_size", "waiting", "waiting_bytes",
    )  # fmt: skip

    def __init__(self, channel: Channel, outbox: Outbox) -> None:
        bounds = channel.bounds
        self.channel = channel
        self.name = channel.name
        self.connection_id = channel.connection.id
        self.overflow = bounds.overflow
        self.queue_size = bounds.queue_size or sys.maxsize
        self.queue_bytes = bounds.queue_bytes or sys.maxsize
        self.waiting = self.waiting_bytes = 0
        self.dropped = self.last_dropped_id = 0
        self._outbox = outbox
        self._kept_back: list[Frame] | None = []

    def take(self, frame: Frame) -> None:
        """Take a message of the room."""
        if self._kept_back is None:
            self._outbox.push(frame, self)
        else:
            self._kept_back.append(frame)

    def begin(self, answer: Frame, missed: list[Frame]) -> None:
        """Give the client its answer and what it has missed, and from now on what is said.

        Args:
            answer: That it has joined.
            missed: What was said while it was away, in order.
        """
        kept_back, self._kept_back = self._kept_back or (), None
        self._outbox.push(answer)
        known = max((frame.id for frame in missed), default=0)
        for frame in (*missed, *(frame for frame in kept_back if frame.id > known)):
            self._outbox.push(frame, self)

    def end(self) -> None:
        """Forget what waits."""
        self._outbox.forget(self)
