"""Room: those who have joined one name, in this process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson

from .broker import Envelope, Recalled
from .connection import head_of
from .frames import Frame, message_frame
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
        "_head", "channel", "epoch", "last_id", "leaving", "members", "name", "subscribed",
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
        """Give a message to every member; nobody is waited for."""
        frame, exclude = self.frame(envelope), envelope.exclude
        self.last_id = envelope.id
        for membership in self.members.values():
            if membership.connection_id != exclude:
                membership.take(frame)
