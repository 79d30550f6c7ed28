"""Patience: what a connection waits for, and how long it may."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from .limits import Limits
from .wire import untaken_bytes

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Patience"]

LINGER_S: Final = 2.0
"""How long a client whose last answer has been given may be silent before it closes."""
LONGEST_LINGER_S: Final = 30.0
"""How long it may still send what nobody wants: many read no answer before they have sent all."""


class Phase(Enum):
    """What a connection waits for."""

    NOTHING = auto()
    """It is our turn: an answer is made, or its reader is behind no more than it may be."""
    FIRST_BYTE = auto()
    HEAD = auto()
    BODY = auto()
    BODY_OF_NOBODY = auto()
    """The rest of a body whose request has been answered without it."""
    NEXT_REQUEST = auto()
    READER = auto()
    """The client, to take an answer off us, or the last of it before the connection closes."""
    LAST_WORD = auto()
    """The end of what a client still sends whose last answer has been given."""


class Patience:
    """How long one connection has been waiting for the same thing.

    Args:
        limits: How long it may.
    """

    __slots__ = (
        "_body",
        "_body_from_bytes",
        "_body_s",
        "_level",
        "_limits",
        "_mark",
        "_phase",
        "_phase_s",
        "waited_s",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._phase = Phase.NOTHING
        self._mark: object = None
        self._level = 0
        self._body: object = None
        self._body_s = 0.0
        self._body_from_bytes = 0
        self._phase_s = 0.0
        self.waited_s = 0.0

    def look(self, connection: Connection, elapsed_s: float) -> None:
        """See what the connection waits for, and end the wait if it has been too long.

        Args:
            connection: The connection: always the same one.
            elapsed_s: The time since the last look, in seconds.
        """
        phase, mark = self._now(connection)
        if phase is not self._phase or mark is not self._mark:
            self._phase, self._mark = phase, mark
            self.waited_s = self._phase_s = 0.0
            self._level = self._measure(phase, connection)
            return
        if phase is Phase.NOTHING:
            return
        self._phase_s += elapsed_s
        level = self._measure(phase, connection)
        if level != self._level:
            self.waited_s = 0.0
            self._level = level
        else:
            self.waited_s += elapsed_s
        if phase is Phase.BODY:
            self._body_s += elapsed_s
        if self._is_over(phase, connection):
            _end(phase, connection)

    def forget(self) -> None:
        """Keep nothing of a connection that has come to its end."""
        self._mark = self._body = None

    def _now(self, connection: Connection) -> tuple[Phase, object]:
        """Return what is waited for, and an object that is the same while that goes on."""
        cycle = connection.cycle
        if connection.transport.is_closing():
            return Phase.READER, None
        if connection.is_ending:
            return Phase.LAST_WORD, None
        if cycle is not None and not cycle.response_complete:
            if connection.flow.write_paused:
                return Phase.READER, cycle
            return (Phase.BODY if _waits_for_body(connection) else Phase.NOTHING), cycle
        if connection.is_in_head:
            return Phase.HEAD, connection.scope
        if cycle is None:
            return Phase.FIRST_BYTE, None
        return (Phase.BODY_OF_NOBODY if cycle.more_body else Phase.NEXT_REQUEST), cycle

    def _measure(self, phase: Phase, connection: Connection) -> int:
        """Return a number that changes as long as the client does what is waited for."""
        if phase is Phase.READER:
            return untaken_bytes(connection.transport)
        if phase is Phase.BODY:
            if self._body is not connection.cycle:
                self._body = connection.cycle
                self._body_s = 0.0
                self._body_from_bytes = connection.body_bytes
            return connection.body_bytes
        return connection.body_bytes if phase is Phase.LAST_WORD else 0

    def _is_over(self, phase: Phase, connection: Connection) -> bool:
        limits, waited_s = self._limits, self.waited_s
        if phase is Phase.FIRST_BYTE or phase is Phase.HEAD:
            return waited_s >= limits.header_timeout_s
        if phase is Phase.BODY:
            received_bytes = connection.body_bytes - self._body_from_bytes
            is_silent = waited_s >= limits.body_timeout_s
            return is_silent or self._body_s >= limits.body_time_s(received_bytes)
        if phase is Phase.BODY_OF_NOBODY:
            return waited_s >= limits.body_timeout_s
        if phase is Phase.NEXT_REQUEST:
            return waited_s >= limits.keep_alive_s
        if phase is Phase.READER:
            return waited_s >= limits.write_timeout_s
        return waited_s >= LINGER_S or self._phase_s >= LONGEST_LINGER_S


def _waits_for_body(connection: Connection) -> bool:
    """Return whether it is the client that more of a body has to come from."""
    cycle = connection.cycle
    # While reading is paused, or the body has not been asked for yet, the application is slow.
    return (
        cycle.more_body
        and not cycle.disconnected
        and not cycle.waiting_for_100_continue
        and not connection.flow.read_paused
        and not connection.pipeline
        and not connection.is_deaf
    )


def _end(phase: Phase, connection: Connection) -> None:
    if phase is Phase.HEAD:
        connection.refuse(connection.watch.refusals.slow_head)
    elif phase is Phase.BODY:
        connection.refuse(connection.watch.refusals.slow_body)
    elif phase is Phase.READER:
        connection.transport.abort()
    else:
        connection.transport.close()
