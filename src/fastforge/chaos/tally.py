"""Tally: what all clients of one proof have seen."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

from .outcome import BROKEN, Outcome

__all__ = ["Failure", "Tally"]

EXAMPLES: Final = 10
BREAKS_WITHIN_S: Final = 1.0
"""How soon the clients of a process that was killed have to know it."""
DIES_WITHIN_S: Final = 0.05
"""How long a process that was killed may still accept connections on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One request that failed.

    Args:
        client: The kind of client.
        path: What it asked for.
        outcome: How it failed.
        at_s: When it failed, in seconds from the disturbance; below 0: before.
    """

    client: str
    path: str
    outcome: Outcome
    at_s: float


class Tally:
    """Counts; every client of a proof writes to the same one.

    Attributes:
        answered: How many requests were answered well, by the kind of client.
        failed: How many failed, by the kind of client and how.
        lost: How many were lost with a process that was killed: no server can answer those.
        stale: How many kept connections were found closed before a request was sent on them, which
            is no failure.
        sockets: How web sockets ended, with how often: a close code, or what else.
        examples: The first failures.
    """

    def __init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.failed: Counter[tuple[str, Outcome]] = Counter()
        self.sockets: Counter[str] = Counter()
        self.lost = self.stale = 0
        self.examples: list[Failure] = []
        self._disturbed_at: float | None = None
        self._killed_at: float | None = None

    def disturbed(self, *, by_killing: bool = False) -> None:
        """Note that the disturbance is now."""
        self._disturbed_at = time.monotonic()
        if by_killing:
            self._killed_at = self._disturbed_at

    def answer(self, client: str) -> None:
        """Count a request that was answered."""
        self.answered[client] += 1

    def failure(self, client: str, path: str, outcome: Outcome, opened_at: float) -> None:
        """Count a request that failed.

        Args:
            client: The kind of client.
            path: What it asked for.
            outcome: How it failed.
            opened_at: When its connection was opened, on the monotonic clock.
        """
        if outcome in BROKEN and self.is_excused(opened_at):
            self.lost += 1
            return
        self.failed[client, outcome] += 1
        if len(self.examples) < EXAMPLES:
            at_s = time.monotonic() - (self._disturbed_at or time.monotonic())
            example = Failure(client=client, path=path, outcome=outcome, at_s=round(at_s, 2))
            self.examples.append(example)

    def is_excused(self, opened_at: float) -> bool:
        """Return whether a connection that breaks now may have been one of a killed process."""
        killed_at = self._killed_at
        if killed_at is None:
            return False
        return (
            opened_at <= killed_at + DIES_WITHIN_S
            and time.monotonic() - killed_at <= BREAKS_WITHIN_S
        )
