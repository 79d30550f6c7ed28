"""Clock: the time as it stands in a line."""

from __future__ import annotations

import time
from typing import Final

__all__ = ["timestamp"]


_ENDS: Final = tuple(f".{millisecond:03d}Z" for millisecond in range(1000))


class _Second:
    """The latest second; one assignment, so that threads need no lock."""

    __slots__ = ("latest",)

    def __init__(self) -> None:
        self.latest: tuple[int, str] = (-1, "")


_second = _Second()


def timestamp(milliseconds: int) -> str:
    """Return a time of UTC as ISO 8601 writes it.

    >>> timestamp(0)
    '1970-01-01T00:00:00.000Z'
    """
    second = milliseconds // 1000
    latest, text = _second.latest
    if second != latest:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _second.latest = second, text
    return text + _ENDS[milliseconds - second * 1000]
