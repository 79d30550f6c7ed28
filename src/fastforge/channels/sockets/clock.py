"""Clock: what time it is for the sockets of a process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["SYSTEM", "Clock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What limits in time are measured by; a test has one that it advances.

    Args:
        monotonic: Seconds that only go on, of which differences alone mean something.
        epoch: Seconds since the epoch, as the ends of tokens are given.
    """

    monotonic: Callable[[], float] = time.monotonic
    epoch: Callable[[], float] = time.time


SYSTEM: Final = Clock()
