"""Backoff: the pauses between attempts at what fails now and may work later."""

from __future__ import annotations

import random

__all__ = ["Backoff"]


class Backoff:
    """Pauses that double up to a limit, each shortened at random, by up to a half unless said.

    The randomness keeps the processes of a deploy from knocking in step.

    Args:
        first_s: The first pause, in seconds.
        longest_s: The limit, in seconds.
        least: The part of each pause that is kept. With 0 it may be any time up to the whole
            pause, which spreads many callers of one service best.
    """

    def __init__(self, first_s: float, longest_s: float, *, least: float = 0.5) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._least = least
        self._next_s = first_s

    def reset(self) -> None:
        """Begin again with the first pause."""
        self._next_s = self._first_s

    def next_s(self) -> float:
        """Return the next pause, in seconds."""
        pause_s = self._next_s
        self._next_s = min(pause_s * 2, self._longest_s)
        return pause_s * random.uniform(self._least, 1)
