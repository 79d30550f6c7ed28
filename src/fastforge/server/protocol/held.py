"""Held: the heads of answers that wait for their bodies, and how long they may."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .cycle import Cycle

__all__ = ["LONGEST_HOLD_S", "HeldHeads"]

LONGEST_HOLD_S: Final = 0.01
"""How long a head waits at most: nobody sees so little, and one timer serves many answers."""


class HeldHeads:
    """Lets heads go whose bodies have not come, all of a server by one timer.

    One call of the event loop for each answer would cost most of what the holding saves.
    """

    __slots__ = ("_cycles", "_is_waiting")

    def __init__(self) -> None:
        self._cycles: set[Cycle] = set()
        self._is_waiting = False

    def add(self, cycle: Cycle) -> None:
        """Let the head of an answer go a moment later, unless it has gone by then."""
        self._cycles.add(cycle)
        if not self._is_waiting:
            self._is_waiting = True
            loop = asyncio.get_running_loop()
            loop.call_later(LONGEST_HOLD_S, self._release, context=Context())

    def discard(self, cycle: Cycle) -> None:
        """Forget one that has gone."""
        self._cycles.discard(cycle)

    def _release(self) -> None:
        self._is_waiting = False
        for cycle in tuple(self._cycles):
            cycle.release_head()
