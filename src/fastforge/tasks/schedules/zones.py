"""Zones: time zones by their IANA names."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Collection
from typing import Final

from ..._utils import did_you_mean
from ...conf import Settings
from ...exceptions import Location, TaskError

__all__ = ["DEFAULT_ZONE", "time_zone_of", "usable_zone", "zone_of"]

DEFAULT_ZONE: Final = "UTC"


def zone_of(name: str, *, where: Location | None = None) -> zoneinfo.ZoneInfo:
    """Return a time zone.

    Raises:
        TaskError: There is no such zone, or the system knows none.
    """
    try:
        return _zone(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise TaskError(
            f"there is no time zone {name!r}", code="tasks.E051", hint=_hint(name), where=where
        ) from None


def time_zone_of(settings: Settings) -> str:
    """Return TIME_ZONE."""
    return str(settings["TIME_ZONE"]) if "TIME_ZONE" in settings else DEFAULT_ZONE


def usable_zone(name: str) -> str:
    """Return the name of a time zone, if there is such a zone.

    Raises:
        ValueError: There is none, with what to write.
    """
    try:
        zone_of(name)
    except TaskError as error:
        raise ValueError(f"{error.message}; {error.hint}") from None
    return name


@functools.lru_cache(maxsize=256)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


def _hint(name: str) -> str:
    known = zoneinfo.available_timezones()
    if not known:
        return "this system has no time zones: install the package tzdata"
    city = _of_city(name, known)
    if city:
        return f"did you mean {city!r}?"
    return did_you_mean(name, known) or "write a name of the IANA list, for example Europe/Berlin"


def _of_city(name: str, known: Collection[str]) -> str | None:
    """Return the zone whose last part somebody wrote alone: Berlin, New York."""
    city = name.strip().replace(" ", "_").casefold()
    found = sorted(each for each in known if each.casefold() in (city, city.replace("-", "_")))
    found += sorted(each for each in known if each.rpartition("/")[2].casefold() == city)
    return found[0] if found else None
