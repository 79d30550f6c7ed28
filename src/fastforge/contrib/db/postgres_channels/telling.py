"""Telling: what a NOTIFY says, and the order in which it is delivered."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from ....channels import ChannelError

__all__ = ["CHANGED", "ECHO", "FULL", "LARGEST", "ROW", "Inbox", "Note", "rest_of"]

logger = logging.getLogger("fastforge.channels")

FULL: Final = "m"
"""The message is told."""
ROW: Final = "r"
"""It is in a row."""
CHANGED: Final = "p"
"""Somebody came to a room, or went."""
ECHO: Final = "e"
"""A process finds out whether it hears itself; in place of a room there is a word of its own."""
LARGEST: Final = 7_900
"""NOTIFY takes 7,999 bytes; an id has 19 digits at most."""
_NOBODY: Final = "-"


class Note(NamedTuple):
    """What is told.

    Args:
        kind: One of the above.
        id: That of a message.
        name: The room.
        exclude: The id of the connection that does not get it.
        data: The JSON; empty where it is in a row.
    """

    kind: str
    id: int
    name: str
    exclude: str
    data: str

    @classmethod
    def of(cls, payload: str) -> Note:
        """Read a payload."""
        kind, id_, name, exclude, data = payload.split(" ", 4)
        return cls(kind, int(id_), name, "" if exclude == _NOBODY else exclude, data)


def rest_of(name: str, exclude: str = "", data: str = "") -> str:
    """Return what comes behind the id in a payload. No part but the last has spaces."""
    return f" {name} {exclude or _NOBODY} {data}"


class Inbox:
    """Delivers notes in the order in which they came, also where one has to be fetched.

    Args:
        take: Delivers a note.
        fetch: Returns a note with what is in its row, or None where that is gone.
        is_wanted: Says whether anybody here wants what is said in a room.
        lost: Called when something could not be fetched.
    """

    def __init__(
        self,
        *,
        take: Callable[[Note], None],
        fetch: Callable[[Note], Awaitable[Note | None]],
        is_wanted: Callable[[str], bool],
        lost: Callable[[], None],
    ) -> None:
        self._fetch = fetch
        self._fetching: asyncio.Future[None] | None = None
        self._is_wanted = is_wanted
        self._lost = lost
        self._take = take
        self._waiting: deque[Note] = deque()

    def heard(self, payload: str) -> None:
        """Take what came in; behind what is still being fetched."""
        try:
            note = Note.of(payload)
        except ValueError:  # anybody may notify anything
            logger.warning("what came in is no message of channels: %.40r", payload)
            return
        if not self._is_wanted(note.name):
            return
        if self._fetching is not None or note.kind == ROW:
            self._waiting.append(note)
            if self._fetching is None:
                self._fetching = asyncio.ensure_future(self._go_on())
        else:
            self.deliver(note)

    def close(self) -> None:
        """Deliver nothing more."""
        self._waiting.clear()
        if self._fetching is not None:
            self._fetching.cancel()

    async def _go_on(self) -> None:
        try:
            while self._waiting:
                note = self._waiting.popleft()
                if note.kind == ROW:
                    await self._take_row(note)
                else:
                    self.deliver(note)
        finally:
            self._fetching = None

    async def _take_row(self, note: Note) -> None:
        try:
            fetched = await self._fetch(note)
        except ChannelError:
            fetched = None
        if fetched is None:
            self._lost()
        else:
            self.deliver(fetched)

    def deliver(self, note: Note) -> None:
        """Give a message on; one that cannot be keeps nothing else from coming in."""
        try:
            self._take(note)
        except Exception:
            logger.exception("a message that came in for %r cannot be delivered", note.name)
