"""Collector: how long the garbage collector has held up this process."""

from __future__ import annotations

import gc
import time
from typing import Any

__all__ = ["CollectorClock"]


class CollectorClock:
    """Adds up the time that collections take; the youngest objects' are too short to count.

    Attributes:
        total_s: For how long ever, in seconds.
        count: How many.
    """

    def __init__(self) -> None:
        self.total_s = 0.0
        self.count = 0
        self._began: float | None = None

    def start(self) -> None:
        """Begin to count."""
        gc.callbacks.append(self._note)

    def stop(self) -> None:
        """Count no more."""
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def _note(self, phase: str, info: dict[str, Any]) -> None:
        if info["generation"] == 0:
            return
        if phase == "start":
            self._began = time.monotonic()
        elif self._began is not None:
            self.total_s += time.monotonic() - self._began
            self.count += 1
            self._began = None
