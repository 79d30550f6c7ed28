"""Moments: as Redis has them, in microseconds, exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["MICROSECOND", "microseconds", "moment_of"]

MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Return a moment as Redis has it."""
    return (moment - _EPOCH) // MICROSECOND


def moment_of(microseconds: float) -> datetime:
    """Return what Redis has as a moment.

    Whoever can write to Redis can write any number there. One that is no moment becomes the first
    or the last that there is: who could not read it could read no job beside it.
    """
    try:
        return _EPOCH + timedelta(microseconds=round(microseconds))
    except (OverflowError, ValueError):
        return _FIRST if microseconds < 0 else _LAST
