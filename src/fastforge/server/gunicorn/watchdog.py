"""Watchdog: a worker that hangs ends, also where its manager has been killed."""

from __future__ import annotations

import faulthandler
import os
import sys
from typing import Final

__all__ = ["Watchdog"]

MARGIN_S: Final = 5
"""The manager comes first, as long as there is one."""


class Watchdog:
    """Ends the process when it has not been heard of for too long, and writes where it hangs.

    It is a thread that needs no lock of Python's: what blocks the interpreter does not block it.

    Args:
        timeout_s: After how many seconds the manager ends a worker that hangs; 0: never.
    """

    def __init__(self, timeout_s: float) -> None:
        self._limit_s = timeout_s and timeout_s + MARGIN_S
        # Where standard error is closed, whoever hangs has to end all the same.
        self._writes_to = os.open(os.devnull, os.O_WRONLY) if sys.stderr is None else None

    def hear(self) -> None:
        """Hear that all is well, and wait for the next time; from the first one on."""
        if self._limit_s:
            file = sys.stderr if self._writes_to is None else self._writes_to
            faulthandler.dump_traceback_later(self._limit_s, exit=True, file=file)
