"""Outcome: how one request ended, as its client saw it."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["BROKEN", "Failed", "Outcome"]


class Outcome(StrEnum):
    """How one request ended; every one but OK is a failure."""

    OK = "ok"
    REFUSED = "refused"
    """Nobody listened."""
    RESET = "reset"
    """The connection was torn."""
    EOF = "eof"
    """It was closed without an answer, after the request was sent."""
    TRUNCATED = "truncated"
    """It was closed within the answer."""
    MALFORMED = "malformed"
    """What came was no answer."""
    CLIENT_ERROR = "4xx"
    SERVER_ERROR = "5xx"
    TIMEOUT = "timeout"


BROKEN = frozenset({Outcome.RESET, Outcome.EOF, Outcome.TRUNCATED})
"""What a process that is killed cannot but do to its connections."""


class Failed(Exception):
    """A request that failed.

    Attributes:
        outcome: How.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.value)
        self.outcome = outcome
