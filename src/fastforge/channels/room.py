"""Room: those who have joined one name, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

from .broker import Envelope, Recalled
from .connection import head_of
from .frames import Frame, control, message_frame
from .membership import Membership

if TYPE_CHECKING:
    from .channel import Channel

__all__ = ["Room"]


class Room:
    """Those who have joined one name, in this process.

    Args:
        name: The name.
        channel: The class.
    """

    __slots__ = (
        "_head", "_held", "_holds", "channel", "epoch", "last_id", "leaving", "members", "name",
        "subscribed",
    )  # fmt: skip

    def __init__(self, name: str, channel: type[Channel]) -> None:
        self.name = name
        self.channel = channel
        self.members: dict[str, Membership] = {}
        self.subscribed: asyncio.Task[None] | None = None
        self.leaving: asyncio.TimerHandle | None = None
        self.epoch = ""
        self.last_id = 0
        self._head = head_of(name)
        self._held: list[Envelope] = []
        self._holds = 0

    def stand_at(self, recalled: Recalled) -> None:
        """Know the epoch, and how far the room was when the first one came."""
        if recalled.epoch != self.epoch:
            self.epoch, self.last_id = recalled.epoch, recalled.last_id

    def frame(self, envelope: Envelope) -> Frame:
        """Return what its members get of a message."""
        by = self.channel.bounds.conflate_by
        key = orjson.loads(envelope.data).get(by) if by else None
        return message_frame(self._head, envelope.data, id=envelope.id, key=key)

    def deliver(self, envelope: Envelope) -> None:
        """Give a message to every member, once; nobody is waited for."""
        if self._holds:
            self._held.append(envelope)
        else:
            self._give(envelope)

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
        frame, exclude = self.frame(envelope), envelope.exclude
        self.last_id = envelope.id
        for membership in self.members.values():
            if membership.connection_id != exclude:
                hand(membership, frame)
