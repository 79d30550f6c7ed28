"""The broker of one process."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from .broker import Envelope, Kept, Recalled

__all__ = ["MemoryBroker"]

MOST_AT_ONCE: Final = 32
"""After so many messages those who send them have a turn, so that a burst finds no full queue."""
MOST_ROOMS: Final = 10_000
"""The pasts of how many rooms are kept; the one that was silent for the longest gives way."""


class _Past:
    """The latest messages of a room.

    Attributes:
        messages: Those that are kept.
        floor: The id of the latest that is not.
        ends_at: When nothing of it is kept any more.
    """

    __slots__ = ("ends_at", "floor", "messages")

    def __init__(self, floor: int) -> None:
        self.messages: deque[tuple[float, Envelope]] = deque()
        self.floor = floor
        self.ends_at = 0.0

    def add(self, envelope: Envelope, kept: Kept, now: float) -> None:
        self.messages.append((now + kept.ttl_s, envelope))
        self.ends_at = now + kept.ttl_s
        self.trim(kept.count, now)

    def trim(self, count: int, now: float) -> None:
        while self.messages and (len(self.messages) > count or self.messages[0][0] <= now):
            self.floor = self.messages.popleft()[1].id


class MemoryBroker:
    """Carries messages within a process; what it keeps ends with the process.

    Ids count the messages of all rooms together, so that nothing is kept of a room without a
    history.

    Args:
        now: The time in seconds, which only goes on.
    """

    hearing: Final = None
    reaches_other_processes: Final = False

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.epoch: Final = secrets.token_hex(4)
        self._changed: Callable[[str], None] | None = None
        self._deliver: Callable[[Envelope], None] | None = None
        self._present: dict[str, dict[str, bytes]] = {}
        self._now = now
        self._at_once = 0
        self._last_id = 0
        self._pasts: OrderedDict[str, _Past] = OrderedDict()
        self._floor = 0  # of the pasts that are gone

    def attach(
        self,
        deliver: Callable[[Envelope], None],
        missed: Callable[[], None],
        changed: Callable[[str], None],
    ) -> None:
        """Say who gets what comes in; nothing is ever missed."""
        self._deliver, self._changed = deliver, changed

    async def subscribe(self, name: str) -> None:
        """Do nothing: every room's messages come in."""

    def unsubscribe(self, name: str) -> None:
        """Do nothing."""

    async def publish(self, name: str, data: bytes, *, exclude: str, kept: Kept | None) -> int:
        """Deliver a message before this returns."""
        self._last_id += 1
        envelope = Envelope(name, self._last_id, data, exclude)
        if kept is not None:
            self._keep(envelope, kept)
        if self._deliver is not None:
            self._deliver(envelope)
        self._at_once += 1
        if self._at_once >= MOST_AT_ONCE:
            self._at_once = 0
            await asyncio.sleep(0)
        return envelope.id

    async def recall(
        self, name: str, *, after: int | None, epoch: str, kept: Kept | None
    ) -> Recalled:
        """Return what came after an id."""
        if after is None or epoch != self.epoch or after > self._last_id:
            return Recalled(epoch=self.epoch, last_id=self._last_id)
        past = self._pasts.get(name)
        if past is not None:
            past.trim(len(past.messages), self._now())
        floor = self._floor if past is None else past.floor
        messages = () if past is None else tuple(each for _, each in past.messages)
        return Recalled(
            epoch=self.epoch,
            last_id=self._last_id,
            messages=[each for each in messages if each.id > after],
            is_complete=after >= floor,
        )

    async def enter(self, name: str, key: str, shown: bytes) -> None:
        """Let somebody be in a room."""
        self._present.setdefault(name, {})[key] = shown
        self._tell(name)

    async def leave(self, name: str, key: str) -> None:
        """Let them be in it no more."""
        present = self._present.get(name, {})
        present.pop(key, None)
        if not present:
            self._present.pop(name, None)
        self._tell(name)

    async def present(self, name: str) -> Mapping[str, bytes]:
        """Return who is there."""
        return dict(self._present.get(name, {}))

    async def renew(self, here: Mapping[str, Sequence[str]]) -> None:
        """Do nothing: what this process has ends with it."""

    def _tell(self, name: str) -> None:
        if self._changed is not None:
            self._changed(name)

    def _keep(self, envelope: Envelope, kept: Kept) -> None:
        now = self._now()
        past = self._pasts.pop(envelope.name, None) or _Past(self._floor)
        self._pasts[envelope.name] = past
        past.add(envelope, kept, now)
        self._forget_old(now)
        if len(self._pasts) > MOST_ROOMS:
            self._gone(self._pasts.popitem(last=False)[1])

    def _forget_old(self, now: float) -> None:
        """Forget the rooms that were silent for as long as they keep anything.

        They stand in the order of their latest message; one that keeps for longer than another
        holds up those behind it, which costs memory and nothing else.
        """
        for past in self._pasts.values():
            past.trim(len(past.messages), now)
            if past.messages:
                break
        while self._pasts:
            name = next(iter(self._pasts))
            if self._pasts[name].messages:
                return
            self._gone(self._pasts.pop(name))

    def _gone(self, past: _Past) -> None:
        last = past.messages[-1][1].id if past.messages else past.floor
        self._floor = max(self._floor, last)
