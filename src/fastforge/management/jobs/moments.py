"""Moments: how times are typed behind `--since`, and how they and durations are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from ...exceptions import CommandError
from .office import Office, note

__all__ = ["long_time", "moment_of", "short_time"]

_AGO: Final = re.compile(r"(?:\d+(?:\.\d+)?\s*(?:s|min|m|h|d|w)\s*)+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")
_SECONDS: Final = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_STEPS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))


def moment_of(text: str, option: str, office: Office) -> datetime:
    """Return the moment that somebody means, in UTC.

    Args:
        text: A time ago (`2h`, `1h30min`), a date, or a date and a time; without an offset it is
            one of the project's TIME_ZONE.
        option: What it was typed behind.
        office: Tells what time it is, and where.

    Raises:
        CommandError: It is no time.
    """
    try:
        if _AGO.fullmatch(text.strip()):
            return (office.now() - _duration(text)).astimezone(UTC)
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=office.zone)
            note(f"{option} {text} is read as {moment.isoformat(' ')}, by TIME_ZONE {office.zone}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError(
            f"{option} is {text!r}, which is no time",
            code="tasks.E080",
            hint="write how long ago, as 30min, 2h or 3d, or when: 2026-11-29T10:00+01:00",
        ) from None


def _duration(text: str) -> timedelta:
    parts = _PART.findall(text)
    return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))


def short_time(seconds: float) -> str:
    """Return a duration as one whole number and its unit: `42 s`, `5 min`, `3 h`, `12 d`."""
    for size, unit in _STEPS:
        if abs(seconds) >= size:
            return f"{abs(seconds) // size:.0f} {unit}"
    return f"{abs(seconds) // 1:.0f} s"


def long_time(moment: datetime, office: Office) -> str:
    """Return a moment for people, in the project's time zone."""
    return f"{moment.astimezone(office.zone):%Y-%m-%d %H:%M:%S %Z}"
