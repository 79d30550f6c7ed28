"""Fields: the five parts of a cron expression, from text to the numbers that they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..._utils import did_you_mean
from ...exceptions import TaskError

__all__ = ["FIELDS", "LAST_DAY", "Field"]

LAST_DAY: Final = 0
"""Stands among the days of a month for the last one, which is written `L`."""

_FIRST_HALF: Final = ("jan", "feb", "mar", "apr", "may", "jun")
_MONTHS: Final = (*_FIRST_HALF, "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One part of a cron expression: what it is called and which numbers it may have.

    Args:
        name: For messages.
        low: The smallest number.
        high: The greatest one.
        names: What may be written in place of numbers.
        first: The number that the first of the names stands for.
        last: What is written for the last one, in small letters, and the number for it.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    first: int = 0
    last: tuple[str, int] | None = None

    def numbers(self, text: str) -> frozenset[int]:
        """Return the numbers that a text means.

        Raises:
            TaskError: It means none.
        """
        return frozenset(number for part in text.split(",") for number in self._part(text, part))

    def _part(self, text: str, part: str) -> range | tuple[int, ...]:
        if self.last and part == self.last[0]:
            return (self.last[1],)
        base, slash, step = part.partition("/")
        start, dash, end = base.partition("-")
        if base == "*":
            low, high = self.low, self.high
        elif dash:
            low, high = self._number(text, start), self._end(text, start, end)
        elif slash:
            raise self._error(
                text,
                f"{part!r} does not say where its steps end",
                f"write {base or self.low}-{self.high}/{step or 1} in its place",
            )
        else:
            return (self._number(text, base),)
        return range(low, high + 1, self._step(text, part, step) if slash else 1)

    def _end(self, text: str, start: str, end: str) -> int:
        low, high = self._number(text, start), self._number(text, end)
        if self.names[:1] == ("sun",) and high == 0 < low:
            high = 7  # fri-sun
        if high < low:
            raise self._error(
                text,
                f"{start}-{end} runs backwards",
                f"write {start}-{self._shown(self.high)},{self._shown(self.low)}-{end}",
            )
        return high

    def _step(self, text: str, part: str, step: str) -> int:
        if not step.isdecimal() or int(step) == 0:
            hint = "a step is a number from 1, for example */5"
            raise self._error(text, f"the step of {part!r} is no number from 1", hint)
        if int(step) > self.high - self.low:
            # Else `*/90` would silently mean once an hour.
            hint = "write every(timedelta(...), ...) for what a field cannot say"
            raise self._error(text, f"a step of {step} is longer than the whole field", hint)
        return int(step)

    def _number(self, text: str, value: str) -> int:
        if value in self.names:
            return self.names.index(value) + self.first
        if not (value.isascii() and value.isdecimal()):
            hint = did_you_mean(value, self.names) if value else ""
            raise self._error(text, f"{value!r} is no {self.name}", hint or self._takes())
        if not self.low <= int(value) <= self.high:
            raise self._error(
                text, f"{value} is not between {self.low} and {self.high}", self._takes()
            )
        return int(value)

    def _shown(self, number: int) -> str:
        if not self.names:
            return str(number)
        return self.names[(number - self.first) % len(self.names)]

    def _takes(self) -> str:
        named = f" or names from {self.names[0]} to {self.names[-1]}" if self.names else ""
        last = f", {self.last[0].upper()} for the last one" if self.last else ""
        return (
            f"it takes numbers from {self.low} to {self.high}{named}{last},"
            " * for all, lists as 1,5, ranges as 1-5 and steps as */5"
        )

    def _error(self, text: str, fault: str, hint: str) -> TaskError:
        return TaskError(f"its {self.name}, {text!r}: {fault}", code="tasks.E050", hint=hint)


FIELDS: Final = (
    Field(name="minute", low=0, high=59),
    Field(name="hour", low=0, high=23),
    Field(name="day of the month", low=1, high=31, last=("l", LAST_DAY)),
    Field(name="month", low=1, high=12, names=_MONTHS, first=1),
    Field(name="weekday", low=0, high=7, names=_WEEKDAYS),
)
