"""Trouble: what keeps failing, told once when it begins and once when it is over."""

from __future__ import annotations

import logging
import random
from typing import Final

from .._utils import first_line, redact

__all__ = ["Pauses", "Trouble"]

logger = logging.getLogger("fastforge.tasks")

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0


class Trouble:
    """The activities of a worker that fail at present, and one log line per change of state."""

    def __init__(self) -> None:
        self._failing: set[str] = set()

    def failed(self, activity: str, error: Exception) -> None:
        """Note a failure; the first one is logged."""
        if not self._failing:
            text = first_line(redact(str(error)))
            logger.warning(
                "the task backend fails, the worker waits for it: %s", text or repr(error)
            )
        self._failing.add(activity)

    def succeeded(self, activity: str) -> None:
        """Note a success; the one that ends the last trouble is logged."""
        if activity in self._failing:
            self._failing.discard(activity)
            if not self._failing:
                logger.info("the task backend works again")

    def __contains__(self, activity: object) -> bool:
        return activity in self._failing


class Pauses:
    """Pauses between attempts: they double up to a limit, and each is shortened at random."""

    def __init__(self) -> None:
        self._next_s = FIRST_PAUSE_S

    def reset(self) -> None:
        """Begin again with the shortest pause."""
        self._next_s = FIRST_PAUSE_S

    def next_s(self) -> float:
        """Return the next pause, in seconds."""
        pause_s = self._next_s
        self._next_s = min(pause_s * 2, LONGEST_PAUSE_S)
        return pause_s * random.uniform(0.5, 1)
