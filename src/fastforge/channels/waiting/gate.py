"""Gate: the short way of a message to a client that keeps up; and the wire, which has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from .frames import Frame

__all__ = ["SHUT", "Gate", "Wire"]


class Gate(Protocol):
    """Where a room writes to a client, as long as nothing of that client's waits.

    Most of what a delivery costs is to look at the objects between a room and a connection, which
    are not in the processor's cache. A room looks at one of them: this.

    Attributes:
        writer: What takes a frame as it goes over the wire; None: ask the membership.
        written: How many messages it took; whoever calls it counts.
        written_bytes: Their size.
    """

    writer: Callable[[bytes], object] | None
    written: int
    written_bytes: int


class _Shut:
    __slots__ = ("written", "written_bytes")

    writer: Callable[[bytes], object] | None = None

    def __init__(self) -> None:
        self.written = self.written_bytes = 0


SHUT: Final[Gate] = _Shut()
"""That of a client for which nothing is written past its outbox."""


class Wire(Protocol):
    """What takes frames to a client."""

    @property
    def gate(self) -> Gate:
        """Where a room writes to the client past the outbox, as long as nothing waits there."""
        ...

    @property
    def is_ready(self) -> bool:
        """Whether it takes a frame at once."""
        ...

    def offer(self, frame: Frame, /) -> bool:
        """Take a frame at once; False where it cannot be taken now."""
        ...

    def wake(self) -> None:
        """Hear that something waits."""
        ...
