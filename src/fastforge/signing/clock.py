"""Clock: the time by which what was signed gets too old."""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import Final

__all__ = ["now_s"]

logger = logging.getLogger("fastforge.signing")

SET_BACK_S: Final = 60
"""By how much a clock has to be behind until that is told: small corrections are usual."""
_MONOTONIC_TO_WALL_S: Final = time.time() - time.monotonic()


def now_s() -> float:
    """Return the seconds since 1970, which do not go back with the clock of the machine.

    A process that saw the right time keeps it: a token of 15 minutes does not live an hour more
    because somebody set the clock back by one. A clock that is set forward is believed. Times that
    leave the process, such as when a token expires, are written and compared by this one alone.

    ```python
    from fastforge.signing import now_s

    expires_at = now_s() + 900
    assert now_s() < expires_at
    ```

    Surprises: a process that was started while the clock was ahead stays ahead until it is started
    again. A line of the log says when the clock was set back.
    """
    wall_s, steady_s = time.time(), time.monotonic() + _MONOTONIC_TO_WALL_S
    if wall_s >= steady_s:
        return wall_s
    if steady_s - wall_s > SET_BACK_S:
        _tell()
    return steady_s


@cache
def _tell() -> None:
    """Say it once in the life of a process."""
    logger.warning(
        "the clock of this machine was set back: what was signed ends when it would have ended; if"
        " the clock is right only now, start this process again"
    )
