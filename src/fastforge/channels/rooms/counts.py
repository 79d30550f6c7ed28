"""Counts: what the channels of one process have done, counted on the event loop alone."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..declaring.channel import Channel
    from ..sockets.socket import ClientSocket

__all__ = ["Counts", "Tally"]

logger = logging.getLogger("fastforge.channels")

LOOKS_EVERY_S: Final = 1.0
TELLS_EVERY_S: Final = 60.0
"""How long after a line about a channel's clients the next one is, whatever happens to them."""


class Tally:
    """What the clients of one channel were given, and what not.

    Args:
        name: What stands for the channel in metrics: its pattern, of which there are few.
        where: The class.
        overflow: What becomes of messages for a client that is behind.

    Attributes:
        members: How many clients are in it.
        delivered: How many messages they were given, each counted for itself.
        dropped: How many of them did not reach a client that was behind.
        let_go: How many clients were let go for that.
    """

    __slots__ = (
        "_at", "_dropped", "_let_go", "delivered", "dropped", "let_go", "members", "name",
        "overflow", "where",
    )  # fmt: skip

    def __init__(self, name: str = "", where: str = "", overflow: str = "") -> None:
        self.name: Final = name
        self.overflow: Final = overflow
        self.where: Final = where
        self.members = self.delivered = self.dropped = self.let_go = 0
        self._dropped = self._let_go = 0
        self._at = -math.inf

    @classmethod
    def of(cls, channel: type[Channel]) -> Tally:
        """Return that of a class."""
        name = "" if channel.pattern is None else channel.pattern.text
        return cls(name, channel.__qualname__, channel.bounds.overflow)

    def tell(self, now: float) -> None:
        """Write a line about clients that do not keep up, at once, and then once a minute.

        Args:
            now: What `time.monotonic` says.
        """
        # To conflate is what was asked for: nothing is lost that anybody would miss.
        dropped = 0 if self.overflow == "conflate" else self.dropped - self._dropped
        let_go = self.let_go - self._let_go
        if not (dropped or let_go) or now - self._at < TELLS_EVERY_S:
            return
        self._at, self._dropped, self._let_go = now, self.dropped, self.let_go
        logger.warning(
            "clients of %s do not keep up: %d messages were dropped, and %d clients let go, since"
            " the last line like this one",
            self.where,
            dropped,
            let_go,
            extra={"channel_pattern": self.name, "overflow": self.overflow},
        )


class Counts:
    """What the channels of one process have done.

    Whoever exports metrics reads it, from any thread.

    Args:
        channels: The classes of the project.

    Attributes:
        tallies: One for each channel.
        joins: How often clients asked to join, by channel and outcome.
        closes: How many connections were closed from here, by code.
        aborts: How many clients took not even their closing.
        connections: How many there are, by what they come over.
        deepest_queue: How many messages wait for the client for whom the most wait.
        queued_bytes: What waits for all clients together.
    """

    def __init__(self, channels: Iterable[type[Channel]]) -> None:
        self.tallies: Final = {channel: Tally.of(channel) for channel in channels}
        self.joins: Final[Counter[tuple[str, str]]] = Counter()
        self.closes: Final[Counter[int]] = Counter()
        self.aborts = 0
        self.connections: dict[str, int] = {}
        self.deepest_queue = self.queued_bytes = 0
        self._looks_at = 0.0

    def ended(self, socket: ClientSocket) -> None:
        """Count a connection that is over."""
        if socket.close_code is not None:
            self.closes[socket.close_code] += 1
        self.aborts += socket.is_aborted

    def tick(self, sockets: Iterable[ClientSocket], now: float) -> None:
        """Look at what waits for clients, and tell of those that do not keep up.

        Args:
            sockets: All that are open.
            now: What `time.monotonic` says.
        """
        if now < self._looks_at:
            return
        self._looks_at = now + LOOKS_EVERY_S
        connections: Counter[str] = Counter()
        deepest = waiting_bytes = 0
        for socket in sockets:
            connections[socket.transport] += 1
            outbox = socket.outbox
            if not outbox.is_empty:
                deepest = max(deepest, len(outbox))
                waiting_bytes += outbox.waiting_bytes
        self.connections = dict(connections)
        self.deepest_queue, self.queued_bytes = deepest, waiting_bytes
        for tally in self.tallies.values():
            tally.tell(now)
