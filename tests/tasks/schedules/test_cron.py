"""Cron expressions: what they mean, and what is said about those that mean nothing."""

from __future__ import annotations

import itertools
from datetime import date

import pytest

from fastforge.exceptions import Location, TaskError
from fastforge.tasks.schedules.cron import ALIASES, Cron

HERE = Location("shop/orders/schedules.py", 7)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("5", (5,)),
        ("5,1,5", (1, 5)),
        ("10-13", (10, 11, 12, 13)),
        ("*/7", (0, 7, 14, 21, 28, 35, 42, 49, 56)),
        ("20-40/10", (20, 30, 40)),
        ("0-2,58-59", (0, 1, 2, 58, 59)),
        ("*/59", (0, 59)),
    ],
)
def test_a_field_is_a_list_of_numbers_ranges_and_steps(text: str, minutes: tuple[int, ...]) -> None:
    assert Cron.parse(f"{text} * * * *").minutes == minutes


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("mon-fri", {1, 2, 3, 4, 5}),
        ("MON,Wed", {1, 3}),
        ("fri-sun", {5, 6, 0}),
        ("5-7", {5, 6, 0}),
        ("7", {0}),
        ("0", {0}),
        ("sun-tue", {0, 1, 2}),
        ("?", {0, 1, 2, 3, 4, 5, 6}),
        ("fri-sun,sun-mon", {5, 6, 0, 1}),
    ],
)
def test_weekdays_have_names_and_sunday_two_numbers(text: str, weekdays: set[int]) -> None:
    assert Cron.parse(f"0 0 * * {text}").weekdays == weekdays


def test_months_have_names() -> None:
    assert Cron.parse("0 0 1 jan,Jun-aug *").months == {1, 6, 7, 8}


@pytest.mark.parametrize("alias", ALIASES)
def test_an_alias_means_its_expression(alias: str) -> None:
    found, meant = Cron.parse(alias), Cron.parse(ALIASES[alias])
    assert (found.minutes, found.hours, found.days) == (meant.minutes, meant.hours, meant.days)
    assert (found.months, found.weekdays) == (meant.months, meant.weekdays)
    assert str(found) == alias


def days(expression: str, since: date, count: int) -> list[str]:
    found = itertools.islice(Cron.parse(expression).dates(since), count)
    return [f"{each:%a} {each}" for each in found]


def test_of_a_day_of_the_month_and_a_weekday_one_is_enough() -> None:
    assert days("0 0 13 * fri", date(2026, 2, 10), 4) == [
        "Fri 2026-02-13",
        "Fri 2026-02-20",
        "Fri 2026-02-27",
        "Fri 2026-03-06",
    ]


def test_with_a_star_in_one_of_them_both_have_to_hold() -> None:
    assert days("0 0 */2 * mon", date(2026, 3, 1), 3) == [
        "Mon 2026-03-09",
        "Mon 2026-03-23",
        "Mon 2026-04-13",
    ]


def test_the_31st_leaves_out_short_months_and_l_is_the_last_day_of_each() -> None:
    since = date(2027, 12, 1)
    assert days("0 0 31 * *", since, 3) == ["Fri 2027-12-31", "Mon 2028-01-31", "Fri 2028-03-31"]
    assert days("0 0 L * *", since, 3) == ["Fri 2027-12-31", "Mon 2028-01-31", "Tue 2028-02-29"]
    assert days("0 0 15,L 2 *", since, 2) == ["Tue 2028-02-15", "Tue 2028-02-29"]


def test_leap_days_are_found_over_a_century_without_one() -> None:
    found = days("0 0 29 2 *", date(2093, 1, 1), 3)
    assert found == ["Wed 2096-02-29", "Fri 2104-02-29", "Wed 2108-02-29"]


def test_february_30_has_no_dates() -> None:
    assert days("0 0 30 2 *", date(2026, 1, 1), 1) == []


@pytest.mark.parametrize(
    ("expression", "fault", "hint"),
    [
        ("0 25 * * *", "its hour, '25': 25 is not between 0 and 23", "it takes numbers from 0"),
        ("60 * * * *", "its minute, '60': 60 is not between 0 and 59", "it takes"),
        ("0 0 0 * *", "its day of the month, '0': 0 is not between 1 and 31", "L for the last"),
        ("0 0 * 13 *", "its month, '13': 13 is not between 1 and 12", "names from jan to dec"),
        ("0 0 * * mno", "its weekday, 'mno': 'mno' is no weekday", "did you mean 'mon'?"),
        ("0 0 * * fri-mon", "fri-mon runs backwards", "write fri-sun,sun-mon"),
        ("50-10 * * * *", "50-10 runs backwards", "write 50-59,0-10"),
        ("5/15 * * * *", "'5/15' does not say where its steps end", "write 5-59/15"),
        ("*/0 * * * *", "the step of '*/0' is no number from 1", "*/5"),
        ("*/x * * * *", "the step of '*/x' is no number from 1", "*/5"),
        ("*/90 * * * *", "a step of 90 is longer than the whole field", "timedelta"),
        ("0 0 1, * *", "its day of the month, '1,': '' is no day of the month", "it takes"),
        ("0 0 15w * *", "'15w' is no day of the month", "it takes"),
        ("\u0665 * * * *", "is no minute", "it takes"),
        ("* * * * * *", "it has 6 fields, and seconds are none", "timedelta(seconds=...)"),
        ("* * * *", "it has 4 of the 5 fields", "minute, hour, day of the month"),
        ("", "it has 0 of the 5 fields", "0 3 * * mon-fri"),
        ("@dayly", "there is no @dayly", "did you mean '@daily'?"),
        ("@reboot", "there is no @reboot", "in a service"),
    ],
)
def test_a_wrong_expression_is_refused_by_its_field(expression: str, fault: str, hint: str) -> None:
    with pytest.raises(TaskError) as caught:
        Cron.parse(expression, where=HERE)
    assert caught.value.code == "tasks.E050"
    assert caught.value.message.startswith(f"{expression!r} is no cron expression: ")
    assert fault in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.where == HERE
