"""Moments: when the clocks of a time zone show what a cron expression says.

Twice a year most clocks are changed. An expression that names hours means times of the day: each
is met once a day. One that the clocks skip is met at the first moment after the gap, and one
that they show twice is met the first time. An expression whose hour is a star follows the clock:
what is skipped is left out, since the next one is near, and what is shown twice is met twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from zoneinfo import ZoneInfo

from .cron import Cron

__all__ = ["next_moment"]

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


def next_moment(cron: Cron, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first moment of an expression that is later than another one, in UTC.

    Args:
        cron: The expression.
        zone: Whose clocks count.
        after: A moment in UTC.

    Returns:
        None when there is none for decades: it is February 30.
    """
    # The day before as well: a time of it may lie in a gap that ends today.
    since = after.astimezone(zone).date() - _DAY
    for day in cron.dates(since):
        offset = _steady_offset(day, zone)
        if offset is not None:
            found = _on_steady_day(cron, day, offset, after)
        else:
            found = _on_changing_days(cron, day, zone, after)
        if found is not None:
            return found
    return None


def _steady_offset(day: date, zone: ZoneInfo) -> timedelta | None:
    """Return the offset of a day on which the clocks are not changed; else None."""
    midnights = (datetime.combine(each, time(), zone) for each in (day, day + _DAY))
    offsets = {each.replace(fold=fold).utcoffset() for each in midnights for fold in (0, 1)}
    return offsets.pop() if len(offsets) == 1 else None


def _on_steady_day(cron: Cron, day: date, offset: timedelta, after: datetime) -> datetime | None:
    midnight = datetime.combine(day, time(), UTC) - offset
    earliest = max((after - midnight) // _MINUTE + 1, 0)
    minute = _minute_of_day(cron, earliest)
    return None if minute is None else midnight + minute * _MINUTE


def _minute_of_day(cron: Cron, earliest: int) -> int | None:
    """Return the first of its minutes of the day from one on."""
    hour, minute = divmod(earliest, 60)
    if hour in cron.hours:
        index = bisect_left(cron.minutes, minute)
        if index < len(cron.minutes):
            return hour * 60 + cron.minutes[index]
    index = bisect_right(cron.hours, hour)
    return cron.hours[index] * 60 + cron.minutes[0] if index < len(cron.hours) else None


def _on_changing_days(cron: Cron, day: date, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Look at the next date too: clocks that are put back over midnight show it first."""
    dates = [each for each, _ in zip(cron.dates(day), range(2), strict=False)]
    moments = (_first_of(cron, each, zone, after) for each in dates if each - day <= _DAY)
    return min(filter(None, moments), default=None)


def _first_of(cron: Cron, day: date, zone: ZoneInfo, after: datetime) -> datetime | None:
    moments = _moments_of(cron, day, zone)
    index = bisect_right(moments, after)
    return moments[index] if index < len(moments) else None


@lru_cache(maxsize=8)  # thousands are worked out, and the next one asked for is of the same day
def _moments_of(cron: Cron, day: date, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return when a day on which the clocks are changed shows the times, in order."""
    times = (time(hour, minute) for hour in cron.hours for minute in cron.minutes)
    shown = (_shown(datetime.combine(day, each), zone, cron.every_hour) for each in times)
    return tuple(sorted(chain.from_iterable(shown)))


def _shown(local: datetime, zone: ZoneInfo, every_hour: bool) -> Iterator[datetime]:
    """Yield when the clocks of a zone show a time, in UTC."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        yield first
        if every_hour and second != first:
            yield second
    elif not every_hour:
        yield _end_of_gap(second, first, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which the clocks are put forward, between two others."""
    old = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, zone).utcoffset() == old
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)
