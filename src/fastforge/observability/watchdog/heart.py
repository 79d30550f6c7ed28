"""Heart: what an event loop does itself so that others see whether it goes on."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context
from types import FrameType
from typing import Final

__all__ = ["Heart"]

MOST_GAPS: Final = 16


class Heart:
    """Beats on a loop, and notes when it was late.

    Args:
        loop: The loop that runs here.
        tick_s: How long it pauses between two beats.
        late_s: From how late on a beat is noted.
        record: Told how late it was, in seconds, at each beat.

    Attributes:
        last: When it beat last, by `time.monotonic`.
        base: The frame that runs the loop.
        gaps: The late beats that nobody has looked at yet: the beat before, and the late one.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        tick_s: float,
        late_s: float,
        record: Callable[[float], None],
    ) -> None:
        self.gaps: deque[tuple[float, float]] = deque(maxlen=MOST_GAPS)
        self.base: FrameType | None = None
        self.last = time.monotonic()
        self._loop = loop
        self._tick_s = tick_s
        self._late_s = late_s
        self._record = record
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to beat."""
        self.last = time.monotonic()
        # A context of its own: what sets it going is no part of a request.
        self._timer = self._loop.call_later(self._tick_s, self._beat, context=Context())

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.base = None

    def _beat(self) -> None:
        now = time.monotonic()
        lag_s = now - self.last - self._tick_s
        self._record(lag_s)
        if lag_s >= self._late_s:
            self.gaps.append((self.last, now))
        self.last = now
        # Of a loop that is not written in Python it is who called it; else a handle, which goes.
        self.base = sys._getframe(1)
        self._timer = self._loop.call_later(self._tick_s, self._beat)
