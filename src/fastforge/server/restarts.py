"""Restarts: when a child that has ended is started again, and how that is told."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..observability.logging.light import writes_json

if TYPE_CHECKING:
    from .failure import Mistake
    from .process import Child

__all__ = ["Restarts", "say", "tell"]

logger = logging.getLogger("fastforge.manager")

LIVED_LONG_S: Final = 10
SHORTEST_PAUSE_S: Final = 0.5
RETRY_S: Final = 3.0
LONGEST_PAUSE_S: Final = 30


class Restarts:
    """The pauses between the ends and the starts of one child: none at first, then longer ones.

    Args:
        due: Called when the pause is over, from a thread.

    Attributes:
        pause_s: How long the next pause is, in seconds.
    """

    def __init__(self, due: Callable[[], None]) -> None:
        self.pause_s = 0.0
        self._due = due
        self._timer: threading.Timer | None = None

    def forget(self) -> None:
        """Do not start it, and pause no more than at first."""
        self.pause_s = 0.0
        self.cancel()

    def cancel(self) -> None:
        """Do not start it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def later(self, child: Child) -> str:
        """Have a child started again that has died; return in how long, in words."""
        if time.monotonic() - child.started > LIVED_LONG_S:
            self.pause_s = 0.0
        return self._begin()

    def retry(self) -> str:
        """Have one started again that could not start; return in how long, in words."""
        self.pause_s = max(self.pause_s, RETRY_S)
        return self._begin()

    def _begin(self) -> str:
        told = f" in {self.pause_s:g} s" if self.pause_s else ""
        self._timer = threading.Timer(self.pause_s, self._due)
        self._timer.daemon = True
        self._timer.start()
        self.pause_s = min(LONGEST_PAUSE_S, 2 * self.pause_s or SHORTEST_PAUSE_S)
        return told


def tell(mistake: Mistake) -> None:
    """Write why a child cannot start; in production as a line of the log with its parts."""
    if not writes_json():
        say(f"error: {mistake.line}")
        return
    parts = {"code": mistake.code, "hint": mistake.hint}
    where = f"{mistake.file}:{mistake.number}" if mistake.file else ""
    extra = {name: value for name, value in {**parts, "where": where}.items() if value}
    logger.error("%s", mistake.message or mistake.line, extra=extra)


def say(text: str, *, level: int = logging.INFO) -> None:
    """Write a line to standard error, where it appears at once; in production a line of the log.

    Args:
        text: What there is to say.
        level: Of the line of the log.
    """
    if writes_json():
        logger.log(level, "%s", text)
        return
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
