"""Cron: an expression of five fields, and the dates and clock times that it means."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from ..._utils import did_you_mean
from ...exceptions import Location, TaskError
from .fields import FIELDS, LAST_DAY

__all__ = ["ALIASES", "Cron"]

ALIASES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
YEARS_AHEAD: Final = 50
"""How far a date is looked for: February 29 on a certain weekday comes once in 40 years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """What a cron expression means, without a time zone.

    Of a day of the month and a weekday that are both restricted, one is enough, as cron has it.

    Args:
        expression: As it was written.
        minutes: The minutes of an hour, in order.
        hours: The hours of a day, in order.
        days: The days of a month; 0 is the last one.
        months: The months.
        weekdays: The weekdays, from 0 for Sunday.
        either: Whether the day of the month or the weekday is enough.
        every_hour: Whether the hour was written with a star: it follows the clock, and does not
            name times of the day.
    """

    expression: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    every_hour: bool

    @classmethod
    def parse(cls, expression: str, *, where: Location | None = None) -> Cron:
        """Read an expression.

        Raises:
            TaskError: It is none; the message names the field.
        """
        try:
            parts = _parts(expression)
            sets = [field.numbers(part) for field, part in zip(FIELDS, parts, strict=True)]
        except TaskError as error:
            raise TaskError(
                f"{expression!r} is no cron expression: {error.message}",
                code=error.code,
                hint=error.hint,
                where=where,
            ) from None
        minutes, hours, days, months, weekdays = sets
        return cls(
            expression=expression,
            minutes=tuple(sorted(minutes)),
            hours=tuple(sorted(hours)),
            days=days,
            months=months,
            weekdays=frozenset(number % 7 for number in weekdays),
            either=not (parts[2].startswith("*") or parts[4].startswith("*")),
            every_hour=parts[1].startswith("*") or len(hours) == 24,
        )

    def dates(self, since: date) -> Iterator[date]:
        """Yield its dates from one on, for some decades."""
        day, last_year = since, since.year + YEARS_AHEAD
        while day.year <= last_year:
            if day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if self._falls_on(day):
                yield day
            day += timedelta(days=1)

    def _falls_on(self, day: date) -> bool:
        in_month = day.day in self.days or (
            LAST_DAY in self.days and day.day == calendar.monthrange(day.year, day.month)[1]
        )
        in_week = day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either else in_month and in_week

    def __str__(self) -> str:
        return self.expression


def _parts(expression: str) -> list[str]:
    """Return the five fields, in small letters."""
    text = expression.strip().lower()
    if text.startswith("@"):
        return _alias(text).split()
    parts = text.split()
    if len(parts) == len(FIELDS):
        return ["*" if part == "?" else part for part in parts]
    if len(parts) == len(FIELDS) + 1:
        fault = "it has 6 fields, and seconds are none of cron's"
        hint = "leave the first one out, or write every(timedelta(seconds=...), ...)"
    else:
        fault = f"it has {len(parts)} of the 5 fields"
        hint = "write minute, hour, day of the month, month and weekday: 0 3 * * mon-fri"
    raise TaskError(fault, code="tasks.E050", hint=hint)


def _alias(text: str) -> str:
    if text in ALIASES:
        return ALIASES[text]
    hint = did_you_mean(text, ALIASES) or f"there are {', '.join(ALIASES)}"
    if text == "@reboot":
        hint = "enqueue the task where the process starts, in a service"
    raise TaskError(f"there is no {text}", code="tasks.E050", hint=hint)
