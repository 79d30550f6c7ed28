"""Schedule facts: when a schedule is due next, as `manage inspect` shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from ..conf import Settings
from ..tasks.schedules.interval import Interval
from ..tasks.schedules.schedule import Schedule
from ..tasks.schedules.zones import DEFAULT_ZONE, time_zone_of, zone_of

__all__ = ["schedule_facts"]

SHOWN: Final = 3
"""How many of the next due times are shown."""


def schedule_facts(schedule: Schedule, settings: Settings, now: datetime) -> dict[str, Any]:
    """Return the times of a schedule, its zone, and when it is due next: there and in UTC."""
    zone = schedule.zone or time_zone_of(settings)
    if isinstance(schedule.when, Interval):
        zone = DEFAULT_ZONE
    clocks = zone_of(zone)
    due = _next(schedule, zone, now)
    return {
        "times": str(schedule.when),
        "zone": zone,
        "next": [each.astimezone(clocks) for each in due],
        "utc": due,
    }


def _next(schedule: Schedule, zone: str, now: datetime) -> list[datetime]:
    times: list[datetime] = []
    due = schedule.next_after(now.astimezone(UTC), time_zone=zone)
    while due is not None and len(times) < SHOWN:
        times.append(due)
        due = schedule.next_after(due, time_zone=zone)
    return times
