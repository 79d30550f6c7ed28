"""Membership: one client in one room."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..waiting.frames import Frame
from ..waiting.gate import SHUT, Gate
from .counts import Tally

if TYPE_CHECKING:
    from ..declaring.channel import Channel
    from ..waiting.outbox import Outbox

__all__ = ["Membership"]


class Membership:
    """What is kept of a client that has joined, and how its messages are bounded.

    A message may come in after it has been read from the history: by its id it is given once.

    While the client is joining, what is said is kept back: first it gets its answer, then what it
    has missed, then that.

    Args:
        channel: The object of the client's.
        outbox: Where its messages go.
        tally: Where what it is not given is counted.

    Attributes:
        gate: Where its room writes without asking here; shut as long as an id has to be looked at.
    """

    __slots__ = (
        "_kept_back",
        "_outbox",
        "channel",
        "connection_id",
        "dropped",
        "first_dropped_id",
        "gate",
        "is_let_go",
        "known_id",
        "last_dropped_id",
        "missed",
        "name",
        "overflow",
        "queue_bytes",
        "queue_size",
        "tally",
        "waiting",
        "waiting_bytes",
    )  # fmt: skip

    def __init__(self, channel: Channel, outbox: Outbox, tally: Tally | None = None) -> None:
        bounds = channel.bounds
        self.channel = channel
        self.name = channel.name
        self.connection_id = channel.connection.id
        self.overflow = bounds.overflow
        self.queue_size = bounds.queue_size or sys.maxsize
        self.queue_bytes = bounds.queue_bytes or sys.maxsize
        self.waiting = self.waiting_bytes = self.missed = 0
        self.dropped = self.first_dropped_id = self.last_dropped_id = self.known_id = 0
        self.is_let_go = False
        self.tally = tally or Tally()
        self.gate: Gate = SHUT
        self._outbox = outbox
        self._kept_back: list[Frame] | None = []

    def take(self, frame: Frame) -> None:
        """Take a message of the room."""
        if self._kept_back is not None:
            self._kept_back.append(frame)
        elif not 0 < frame.id <= self.known_id:
            self._outbox.push(frame, self)
            if frame.id:  # ids grow: from here on none is known already
                self.gate = self._outbox.gate

    def begin(
        self, answer: Frame, missed: list[Frame], last_id: int, *, state: Frame | None = None
    ) -> None:
        """Give the client its answer and what it has missed, and from now on what is said.

        Args:
            answer: That it has joined.
            missed: What was said while it was away, in order.
            last_id: Where the room stands, as the answer says; what is up to it is among those,
                or not for this client.
            state: Who else is there, where the channel tells.
        """
        kept_back, self._kept_back = self._kept_back or (), None
        self._outbox.push(answer)
        if state is not None:
            self._outbox.push(state)
        for frame in missed:
            self._outbox.push_missed(frame, self)
        self.known_id = last_id
        for frame in kept_back:
            self.take(frame)

    def catch_up(self, frame: Frame) -> None:
        """Take a message that the whole process has missed."""
        if self._kept_back is not None:
            self._kept_back.append(frame)
        elif not 0 < frame.id <= self.known_id:
            self._outbox.push_missed(frame, self)

    def count_let_go(self) -> None:
        """Count that the client is let go, because it does not keep up here."""
        if not self.is_let_go:
            self.is_let_go = True
            self.tally.let_go += 1

    def end(self) -> None:
        """Forget what waits."""
        self._outbox.forget(self)
