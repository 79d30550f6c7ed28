"""State: whether the collector takes what is sent; each change is told once."""

from __future__ import annotations

import logging
import time

from .sending import NotTaken

__all__ = ["ExportState"]

logger = logging.getLogger("fastforge.contrib.telemetry")


class ExportState:
    """What is known of the collector, for one signal. One thread tells it, others may read.

    Args:
        signal: What is sent: `spans` or `metrics`.
        target: Where to, for messages.

    Attributes:
        lost: How many were not sent, and will not be.
    """

    def __init__(self, signal: str, target: str) -> None:
        self.lost = 0
        self._signal = signal
        self._target = target
        self._failed_at: float | None = None
        self._lost_before = 0

    @property
    def is_failing(self) -> bool:
        """Whether the latest export was not taken."""
        return self._failed_at is not None

    def failed(self, error: NotTaken) -> None:
        """Hear that an export was not taken."""
        if self._failed_at is not None:
            return
        self._failed_at = time.monotonic()
        self._lost_before = self.lost
        what_then = "the latest are kept for it" if error.may_pass else "they are lost"
        logger.warning(
            "the collector at %s does not take %s: %s; %s, and requests go on",
            self._target,
            self._signal,
            error,
            what_then,
        )

    def succeeded(self) -> None:
        """Hear that an export was taken."""
        if self._failed_at is None:
            return
        away_s = time.monotonic() - self._failed_at
        self._failed_at = None
        logger.info(
            "the collector at %s takes %s again, after %.1f s; %d were lost",
            self._target,
            self._signal,
            away_s,
            self.lost - self._lost_before,
        )

    def ended(self, left: int) -> None:
        """Hear that the process ends with something that was not sent."""
        if left:
            logger.warning(
                "%d %s were not sent before the end: the collector at %s did not take them in time",
                left,
                self._signal,
                self._target,
            )
