"""Room: those who have joined one name, in this process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import orjson

from ..carrying.broker import Envelope, Recalled
from ..sockets.connection import head_of
from ..waiting.frames import Frame, control, message_frame
from .counts import Tally
from .membership import Membership

if TYPE_CHECKING:
    from ..declaring.channel import Channel

__all__ = ["Room"]

LONGEST_WAY_S: Final = 10.0
"""A message that has not come in after so long is not waited for any more."""


class Room:
    """Those who have joined one name, in this process.

    Args:
        name: The name.
        channel: The class.
        tally: Where what its members are given is counted.
    """

    __slots__ = (
        "_given_at", "_head", "_held", "_holds", "_timed", "channel", "epoch", "last_id",
        "leaving", "members", "name", "subscribed", "tally",
    )  # fmt: skip

    def __init__(self, name: str, channel: type[Channel], tally: Tally) -> None:
        self.name = name
        self.channel = channel
        self.members: dict[str, Membership] = {}
        self.tally = tally
        self.subscribed: asyncio.Task[None] | None = None
        self.leaving: asyncio.TimerHandle | None = None
        self.epoch = ""
        self.last_id = 0
        self._head = head_of(name)
        self._held: list[Envelope] = []
        self._given_at = 0.0
        self._holds = 0
        self._timed: tuple[int, float, Callable[[float], object]] | None = None

    def stand_at(self, recalled: Recalled) -> None:
        """Know the epoch, and how far the room was when the first one came."""
        if recalled.epoch != self.epoch:
            self.epoch, self.last_id = recalled.epoch, recalled.last_id

    def frame(self, envelope: Envelope) -> Frame:
        """Return what its members get of a message."""
        by = self.channel.conflated_by
        key = (orjson.loads(envelope.data).get(by),) if by else None
        return message_frame(self._head, envelope.data, id=envelope.id, key=key)

    def deliver(self, envelope: Envelope) -> None:
        """Give a message to every member, once; nobody is waited for."""
        if self._holds:
            self._held.append(envelope)
        else:
            self._give(envelope)

    def when_given(self, id: int, since: float, record: Callable[[float], object]) -> None:
        """Tell how long it took until a message was on its way to all members.

        One at a time is waited for: those that come meanwhile take as long.

        Args:
            id: That of the message, which may have been given already.
            since: When it was published, as `time.perf_counter` has it.
            record: Called with the seconds.
        """
        if self.last_id >= id:
            record(self._given_at - since)
        elif self._timed is None or since - self._timed[1] > LONGEST_WAY_S:
            self._timed = (id, since, record)

    def hold(self) -> None:
        """Keep back what comes in: what was missed comes first."""
        self._holds += 1

    def go_on(self, recalled: Recalled | None) -> None:
        """Give what was missed, or tell that it is missing, then what has been kept back.

        Args:
            recalled: What was missed; None where nobody knows.
        """
        is_complete = recalled is not None and recalled.is_complete
        if not is_complete:
            self.tell_of_gap()
        for envelope in recalled.messages if recalled is not None and is_complete else ():
            self._give(envelope, Membership.catch_up)
        self._holds -= 1
        if not self._holds:
            held, self._held = self._held, []
            for envelope in held:
                self._give(envelope, Membership.catch_up)
        if recalled is not None:  # the next time nothing is missing before that
            self.last_id = max(self.last_id, recalled.last_id)

    def tell_of_gap(self) -> None:
        """Tell every member that something is missing; ids may begin anew."""
        self.last_id = 0
        frame = control("gap", channel=self.name)
        for membership in self.members.values():
            membership.known_id = 0
            membership.take(frame)

    def _give(
        self, envelope: Envelope, hand: Callable[[Membership, Frame], None] = Membership.take
    ) -> None:
        if envelope.id <= self.last_id:
            return
        frame, excluded = self.frame(envelope), self.members.get(envelope.exclude)
        self.last_id = envelope.id
        self.tally.delivered += len(self.members) - (excluded is not None)
        data = frame.on_wire
        size = len(data)
        for membership in self.members.values():
            gate = membership.gate
            write = gate.writer
            if membership is excluded:
                continue
            if write is None:
                hand(membership, frame)
            else:
                write(data)
                gate.written += 1
                gate.written_bytes += size
        self._given_at = time.perf_counter()
        if self._timed is not None and envelope.id >= self._timed[0]:
            _, since, record = self._timed
            self._timed = None
            record(self._given_at - since)
