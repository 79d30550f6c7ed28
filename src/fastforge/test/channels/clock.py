"""ClockOfTests: what time it is for the sockets of a test, which is later when it says so."""

from __future__ import annotations

import time

from ...channels.sockets.clock import Clock

__all__ = ["ClockOfTests"]


class ClockOfTests:
    """Goes with the machine, and ahead of it by as much as a test has let pass.

    Attributes:
        ahead_s: How far it is ahead.
        clock: What the sockets are given.
    """

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self.clock = Clock(monotonic=self.monotonic, epoch=self.epoch)

    def monotonic(self) -> float:
        """Return the seconds that only go on."""
        return time.monotonic() + self.ahead_s

    def epoch(self) -> float:
        """Return the seconds since the epoch."""
        return time.time() + self.ahead_s
