"""Pauses: how long a manager waits until it starts a worker again that has died."""

from __future__ import annotations

import time
from typing import Final

__all__ = ["Pauses"]

LIVED_LONG_S: Final = 10
SHORTEST_S: Final = 0.5
LONGEST_S: Final = 30
LONGEST_AFTER_SERVICE_S: Final = 1
"""A worker that has answered requests is missed by those that wait for the next one."""


class Pauses:
    """No pause at first, then longer ones, for as long as workers die soon after they start."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._until = 0.0

    @property
    def is_over(self) -> bool:
        """Whether a worker may be started."""
        return time.monotonic() >= self._until

    def after_service(self, lived_s: float) -> str:
        """Begin the pause after one that has served; return how long it is, in words."""
        if lived_s > LIVED_LONG_S:
            self._next_s = 0.0
        return self._begin(min(self._next_s, LONGEST_AFTER_SERVICE_S))

    def after_failure(self) -> str:
        """Begin the pause after one that could not start; return how long it is, in words."""
        return self._begin(max(self._next_s, SHORTEST_S))

    def forget(self) -> None:
        """Pause no more."""
        self._next_s = self._until = 0.0

    def _begin(self, pause_s: float) -> str:
        self._until = time.monotonic() + pause_s
        self._next_s = min(LONGEST_S, 2 * pause_s or SHORTEST_S)
        return f" in {pause_s:g} s" if pause_s else ""
