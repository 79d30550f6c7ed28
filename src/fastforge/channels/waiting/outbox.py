"""Outbox: what waits for one client, within bounds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .frames import Frame, control
from .gate import Gate, Wire

if TYPE_CHECKING:
    from ..rooms.membership import Membership

__all__ = ["Outbox"]

CONTROL_SHARE: Final = 2
"""Answers are never dropped; a client with so many times the bounds of them is let go."""


class _Waiting:
    __slots__ = ("frame", "is_missed", "membership")

    def __init__(self, frame: Frame, membership: Membership | None, *, is_missed: bool) -> None:
        self.frame = frame
        self.is_missed = is_missed
        self.membership = membership


class Outbox:
    """Hands frames to the wire, and keeps those that it does not take yet.

    Nobody who pushes waits. What becomes of a message that finds no place is the decision of its
    channel; the client is told how many are missing.

    Args:
        wire: Where they go.
        size: How many may wait.
        size_bytes: What they may take together.
        patience_s: How long the bounds may be reached until the client is let go.
        let_go: Called when it is.
        now: The time in seconds, which only goes on.
    """

    __slots__ = (
        "_bytes", "_full_since", "_gaps", "_is_stopped", "_let_go", "_missed", "_patience_s",
        "_size", "_size_bytes", "_waiting", "_wire", "dropped", "now", "sent",
    )  # fmt: skip

    def __init__(
        self,
        wire: Wire,
        *,
        size: int,
        size_bytes: int,
        patience_s: float,
        let_go: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire = wire
        self._size = size
        self._size_bytes = size_bytes
        self._patience_s = patience_s
        self._let_go = let_go
        self.now: Final = now
        # Of a client that keeps up there is neither: an empty deque alone takes 600 bytes.
        self._waiting: deque[_Waiting] | None = None
        self._bytes = self._missed = 0
        self._is_stopped = False
        self._full_since: float | None = None
        self._gaps: dict[Membership, None] | None = None
        self.sent = self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting or ())

    @property
    def gate(self) -> Gate:
        """The wire's: what is written there is in order as long as nothing waits here."""
        return self._wire.gate

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be sent, not even that something is missing."""
        return not self._waiting and not self._gaps

    @property
    def waiting_bytes(self) -> int:
        """What waits and is bounded, in bytes."""
        return self._bytes

    def push(self, frame: Frame, membership: Membership | None = None) -> None:
        """Let a frame go to the client, or wait.

        Args:
            frame: The frame.
            membership: Whose message it is; None for an answer, which is not dropped.
        """
        if self.is_empty and self._wire.offer(frame):
            self.sent += 1
        elif self._is_stopped:
            return
        elif membership is None:
            self._push_control(frame)
        elif self._has_room(frame, membership):
            self._append(frame, membership)
        else:
            self._overflow(frame, membership)

    def push_missed(self, frame: Frame, membership: Membership) -> None:
        """Let a message go to a client that has missed it.

        It is bounded by the history of its channel, and takes no room from what is said now:
        whoever was told that nothing is missing gets all of it.

        Args:
            frame: The frame.
            membership: Whose message it is.
        """
        if self.is_empty and self._wire.offer(frame):
            self._counted(frame)
        elif not self._is_stopped:
            self._append(frame, membership, is_missed=True)

    def pop(self) -> Frame | None:
        """Return what comes next, for a wire that takes one at a time; None: nothing waits."""
        if self._waiting:
            waiting = self._waiting[0]
            membership = waiting.membership
            if membership is not None and membership.dropped and _is_behind(waiting, membership):
                return self._counted(self._gap(membership))
            self._waiting.popleft()
            self._forget(waiting)
            return self._counted(waiting.frame)
        self._waiting = self._full_since = None
        for membership in self._gaps or ():
            return self._counted(self._gap(membership))
        return None

    def drain(self) -> None:
        """Write what waits, as long as the wire is ready."""
        while self._wire.is_ready:
            frame = self.pop()
            if frame is None:
                return
            self._wire.offer(frame)

    def forget(self, membership: Membership) -> None:
        """Drop what waits of somebody who has left a channel."""
        if membership.dropped:
            self._gap(membership)
        for waiting in self._waiting_of(membership):
            self._remove(waiting)

    def stop(self) -> None:
        """Let nothing more wait: what waits already is the last, and the socket's end is next."""
        self._is_stopped = True

    def clear(self) -> None:
        """Drop everything: the client is gone."""
        self._waiting = self._gaps = None
        self._bytes = self._missed = 0

    # --- bounds ---

    def _has_room(self, frame: Frame, membership: Membership) -> bool:
        size = len(frame)
        return (
            len(self) - self._missed < self._size
            and self._bytes + size <= self._size_bytes
            and membership.waiting < membership.queue_size
            and membership.waiting_bytes + size <= membership.queue_bytes
        )

    def _overflow(self, frame: Frame, membership: Membership) -> None:
        overflow = membership.overflow
        is_less = overflow == "conflate" and self._conflate(frame, membership, spared=0)
        if is_less and self._has_room(frame, membership):
            self._append(frame, membership)
            return
        now = self.now()
        self._full_since = self._full_since or now
        if overflow == "disconnect" or now - self._full_since > self._patience_s:
            membership.count_let_go()
            self._let_go()
            return
        if overflow != "drop_newest":
            for oldest in self._waiting_of(membership):
                if oldest.is_missed:
                    continue
                self._remove(oldest)
                self._drop(oldest.frame, membership)
                if self._has_room(frame, membership):
                    self._append(frame, membership)
                    return
        self._drop(frame, membership)

    def _waiting_of(self, membership: Membership) -> list[_Waiting]:
        if not membership.waiting and not membership.missed:
            return []
        return [each for each in self._waiting or () if each.membership is membership]

    def _drop(self, frame: Frame, membership: Membership) -> None:
        if frame.id:
            membership.first_dropped_id = membership.first_dropped_id or frame.id
        membership.dropped += 1
        membership.last_dropped_id = max(membership.last_dropped_id, frame.id)
        membership.tally.dropped += 1
        self.dropped += 1
        if self._gaps is None:
            self._gaps = {}
        self._gaps[membership] = None

    def _conflate(self, frame: Frame, membership: Membership, *, spared: int) -> bool:
        """Leave out the last message that this one makes worthless, if more wait than are spared.

        It is not put into its place: ids grow for each client, which comes back by the last one.
        The first is spared where there is room, so that what changes all the time has its turn.
        """
        if frame.key is None:  # it tells who is there, or that something is missing
            return False
        same = [each for each in self._waiting_of(membership) if each.frame.key == frame.key]
        if len(same) <= spared:
            return False
        membership.tally.dropped += 1
        self._remove(same[-1])
        return True

    def _push_control(self, frame: Frame) -> None:
        count, size_bytes = len(self) - self._missed, self._bytes + len(frame)
        if max(count / self._size, size_bytes / self._size_bytes) > CONTROL_SHARE:
            self._let_go()
        else:
            self._append(frame, None)

    # --- the queue ---

    def _append(
        self, frame: Frame, membership: Membership | None, *, is_missed: bool = False
    ) -> None:
        if membership is not None:
            if membership.overflow == "conflate":
                self._conflate(frame, membership, spared=1)
            if is_missed:
                membership.missed += 1
            else:
                membership.waiting += 1
                membership.waiting_bytes += len(frame)
        if is_missed:
            self._missed += 1
        else:
            self._bytes += len(frame)
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(_Waiting(frame, membership, is_missed=is_missed))
        self._wire.wake()

    def _remove(self, waiting: _Waiting) -> None:
        assert self._waiting is not None
        self._waiting.remove(waiting)
        self._forget(waiting)

    def _forget(self, waiting: _Waiting) -> None:
        membership = waiting.membership
        if waiting.is_missed:
            self._missed -= 1
            if membership is not None:
                membership.missed -= 1
            return
        size = len(waiting.frame)
        self._bytes -= size
        if membership is not None:
            membership.waiting -= 1
            membership.waiting_bytes -= size

    def _gap(self, membership: Membership) -> Frame:
        if self._gaps is not None:
            self._gaps.pop(membership, None)
        frame = control(
            "gap",
            channel=membership.name,
            dropped=membership.dropped,
            last_id=membership.last_dropped_id or None,
        )
        membership.dropped = membership.first_dropped_id = 0
        return frame

    def _counted(self, frame: Frame) -> Frame:
        self.sent += 1
        return frame


def _is_behind(waiting: _Waiting, membership: Membership) -> bool:
    """Return whether a frame comes after what was dropped, so that it is told of that first.

    What was missed before somebody came back has its place before; what a whole process has missed
    may come behind messages that were dropped meanwhile.
    """
    return not waiting.is_missed or 0 < membership.first_dropped_id < waiting.frame.id
