"""Trouble: what keeps failing, told once when it begins and once when it is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from .._utils import told
from ..exceptions import ForgeError
from ..lifecycle.backoff import Backoff
from .backend import BackendUnready

__all__ = ["Trouble", "backoff"]

logger = logging.getLogger("fastforge.tasks")

FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 5.0


class Trouble:
    """The activities of a worker that fail at present, and one log line per change of state.

    Args:
        changed: Told whether anything fails, whenever that has changed.
    """

    def __init__(self, changed: Callable[[bool], None] | None = None) -> None:
        self._failing: set[str] = set()
        self._changed = changed or (lambda _: None)

    def failed(self, activity: str, error: Exception) -> None:
        """Note a failure; the first one is logged."""
        if not self._failing:
            shown = str(error) if isinstance(error, ForgeError) else told(error)
            # Whoever develops is told of a missing table by a notice; here it is the usual case.
            level = logging.INFO if isinstance(error, BackendUnready) else logging.WARNING
            logger.log(level, "the task backend fails, the worker waits for it: %s", shown)
            self._changed(True)
        self._failing.add(activity)

    def succeeded(self, activity: str) -> None:
        """Note a success; the one that ends the last trouble is logged."""
        if activity in self._failing:
            self._failing.discard(activity)
            if not self._failing:
                logger.info("the task backend works again")
                self._changed(False)

    def __bool__(self) -> bool:
        return bool(self._failing)

    def __contains__(self, activity: object) -> bool:
        return activity in self._failing


def backoff() -> Backoff:
    """Return the pauses between attempts at a backend that fails."""
    return Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
