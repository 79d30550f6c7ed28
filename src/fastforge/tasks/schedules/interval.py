"""Interval: a distance of time between runs, counted from the epoch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = ["SHORTEST", "Interval"]

SHORTEST: Final = timedelta(seconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Times that are as far apart as it says, the first one at the epoch.

    So every worker finds the same ones, whenever it started: `timedelta(minutes=5)` means the
    minutes 0, 5, 10 of each hour.

    Args:
        length: The distance.
    """

    length: timedelta

    def after(self, moment: datetime) -> datetime:
        """Return the first of the times that is later than a moment, in UTC."""
        return _EPOCH + ((moment - _EPOCH) // self.length + 1) * self.length

    def __str__(self) -> str:
        seconds = self.length.total_seconds()
        for unit, name in ((86400, "d"), (3600, "h"), (60, "min")):
            if seconds % unit == 0:
                return f"every {seconds // unit:g} {name}"
        return f"every {seconds:g} s"
