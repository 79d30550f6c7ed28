"""Clock: the time by which what was signed gets too old."""

from __future__ import annotations

import time
from typing import Final

__all__ = ["now_s"]

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
    """
    return max(time.time(), time.monotonic() + _MONOTONIC_TO_WALL_S)
