"""When the clocks of a zone show what an expression says, above all when they are changed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastforge.tasks.schedules.cron import Cron
from fastforge.tasks.schedules.interval import Interval
from fastforge.tasks.schedules.moments import next_moment

MINUTE = timedelta(minutes=1)


def shown(expression: str, zone: str, since: str, count: int) -> list[str]:
    """The next times after a local one, as the clocks of the zone show them, with their offset."""
    clocks = ZoneInfo(zone)
    moment = datetime.fromisoformat(since)
    after = (moment if moment.tzinfo else moment.replace(tzinfo=clocks)).astimezone(UTC)
    cron = Cron.parse(expression)
    times = []
    for _ in range(count):
        found = next_moment(cron, clocks, after)
        assert found is not None
        assert found > after
        after = found
        times.append(f"{found.astimezone(clocks):%m-%d %H:%M %z}")
    return times


@pytest.mark.parametrize(
    ("expression", "zone", "since", "times"),
    [
        # Plain days.
        (
            "0 3 * * mon-fri",
            "Europe/Berlin",
            "2026-06-04 12:00",
            ["06-05 03:00 +0200", "06-08 03:00 +0200"],
        ),
        ("@daily", "Asia/Kolkata", "2026-06-04 12:00", ["06-05 00:00 +0530", "06-06 00:00 +0530"]),
        (
            "*/7 * * * *",
            "UTC",
            "2026-06-04 12:48",
            ["06-04 12:49 +0000", "06-04 12:56 +0000", "06-04 13:00 +0000", "06-04 13:07 +0000"],
        ),
        ("30 5 L * *", "UTC", "2028-01-31 05:30", ["02-29 05:30 +0000", "03-31 05:30 +0000"]),
        ("0 0 29 2 *", "Asia/Kolkata", "2026-01-01", ["02-29 00:00 +0530", "02-29 00:00 +0530"]),
        # The gap: 02:00 becomes 03:00. A time in it is met once, at its end.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-28 01:00",
            ["03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200"],
        ),
        (
            "0,30 2,3 * * *",
            "Europe/Berlin",
            "2026-03-29 00:00",
            ["03-29 03:00 +0200", "03-29 03:30 +0200", "03-30 02:00 +0200"],
        ),
        (
            "*/10 2 * * *",
            "America/New_York",
            "2026-03-08 00:00",
            ["03-08 03:00 -0400", "03-09 02:00 -0400", "03-09 02:10 -0400"],
        ),
        # A star in the hour follows the clock over the gap.
        (
            "30 * * * *",
            "Europe/Berlin",
            "2026-03-29 00:45",
            ["03-29 01:30 +0100", "03-29 03:30 +0200", "03-29 04:30 +0200"],
        ),
        (
            "0 */2 * * *",
            "America/New_York",
            "2026-03-07 23:00",
            ["03-08 00:00 -0500", "03-08 04:00 -0400", "03-08 06:00 -0400"],
        ),
        # The hour that is shown twice: 03:00 becomes 02:00. A time of the day is met once ...
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-24 12:00",
            ["10-25 02:30 +0200", "10-26 02:30 +0100"],
        ),
        (
            "0 1-3 * * *",
            "Europe/Berlin",
            "2026-10-25 00:30",
            ["10-25 01:00 +0200", "10-25 02:00 +0200", "10-25 03:00 +0100", "10-26 01:00 +0100"],
        ),
        # ... also when one looks in between,
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 02:10+01:00", ["10-26 02:30 +0100"]),
        # ... and a star in the hour is met twice.
        (
            "*/30 * * * *",
            "Europe/Berlin",
            "2026-10-25 01:40",
            [
                "10-25 02:00 +0200",
                "10-25 02:30 +0200",
                "10-25 02:00 +0100",
                "10-25 02:30 +0100",
                "10-25 03:00 +0100",
            ],
        ),
        (
            "15 * * * *",
            "America/New_York",
            "2026-11-01 00:30",
            ["11-01 01:15 -0400", "11-01 01:15 -0500", "11-01 02:15 -0500"],
        ),
        # Half an hour: 02:00 becomes 02:30, and 02:00 becomes 01:30.
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-03 12:00",
            ["10-04 02:30 +1100", "10-05 02:15 +1100"],
        ),
        (
            "0 */2 * * *",
            "Australia/Lord_Howe",
            "2026-04-05 00:10",
            ["04-05 02:00 +1030", "04-05 04:00 +1030"],
        ),
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04 12:00",
            ["04-05 01:45 +1100", "04-06 01:45 +1030"],
        ),
        (
            "45 * * * *",
            "Australia/Lord_Howe",
            "2026-04-05 00:50",
            ["04-05 01:45 +1100", "04-05 01:45 +1030", "04-05 02:45 +1030"],
        ),
        # Clocks that are changed at midnight, over midnight, and by a whole day.
        ("@daily", "Africa/Cairo", "2026-04-23 12:00", ["04-24 01:00 +0300", "04-25 00:00 +0300"]),
        (
            "*/20 * * * *",
            "America/St_Johns",
            "2006-10-28 23:50",
            ["10-29 00:00 -0230", "10-28 23:20 -0330", "10-28 23:40 -0330", "10-29 00:00 -0330"],
        ),
        (
            "0 12 * * *",
            "Pacific/Apia",
            "2011-12-29 01:00",
            ["12-29 12:00 -1000", "12-31 00:00 +1400", "12-31 12:00 +1400"],
        ),
    ],
)
def test_the_table_of_changed_clocks(
    expression: str, zone: str, since: str, times: list[str]
) -> None:
    assert shown(expression, zone, since, len(times)) == times


def test_what_never_comes_is_told_apart() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert next_moment(Cron.parse("0 0 30 2 *"), ZoneInfo("UTC"), moment) is None


def expected(cron: Cron, zone: ZoneInfo, since: datetime, days: int) -> list[datetime]:
    """The slow way: watch the clock for days, minute by minute."""
    moments = [since + number * MINUTE for number in range(days * 1440)]
    clock = [each.astimezone(zone).replace(tzinfo=None) for each in moments]
    last = max(clock).date()
    dates = set(itertools.takewhile(lambda day: day <= last, cron.dates(min(clock).date())))

    def fits(shown: datetime) -> bool:
        in_day = shown.hour in cron.hours and shown.minute in cron.minutes
        return in_day and shown.date() in dates

    if cron.every_hour:
        return [moment for moment, shown in zip(moments, clock, strict=True) if fits(shown)]
    found: set[datetime] = set()
    target = clock[0]
    for moment, furthest in zip(moments, itertools.accumulate(clock, max), strict=True):
        while target <= furthest:
            if fits(target):
                found.add(moment)
            target += MINUTE
    return sorted(found)


CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 7, 12, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 3, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 3, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 3, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 4, 12, tzinfo=UTC)),
    ("America/St_Johns", datetime(2006, 10, 28, 12, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 29, 3, tzinfo=UTC)),
    ("Asia/Kolkata", datetime(2028, 2, 28, 3, tzinfo=UTC)),
]
MINUTES = st.sampled_from(["0", "30", "*/7", "*/20", "59", "5,45", "*"])
HOURS = st.sampled_from(["*", "*/2", "0", "1", "2", "3", "23", "1-3", "0,12", "0-23", "2,3,4"])
DATES = st.sampled_from(["* * *", "* * sun", "1,29-31 * mon", "*/2 * *", "L * *"])


@settings(max_examples=30, deadline=None)
@given(change=st.sampled_from(CHANGES), minutes=MINUTES, hours=HOURS, dates=DATES)
def test_the_next_time_is_what_watching_the_clock_finds(
    change: tuple[str, datetime], minutes: str, hours: str, dates: str
) -> None:
    zone, since = ZoneInfo(change[0]), change[1]
    cron = Cron.parse(f"{minutes} {hours} {dates}")
    end = since + timedelta(days=2)
    found: list[datetime] = []
    due = next_moment(cron, zone, since - MINUTE)
    while due is not None and due < end:
        found.append(due)
        due = next_moment(cron, zone, due)
    assert found == expected(cron, zone, since, 2)


# --- intervals -----------------------------------------------------------------------------------


@given(
    length=st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=40)),
    since=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30_000)),
)
def test_an_interval_counts_from_the_epoch(length: timedelta, since: timedelta) -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC) + since
    due = Interval(length=length).after(moment)
    assert moment < due <= moment + length
    assert (due - datetime(1970, 1, 1, tzinfo=UTC)) % length == timedelta()


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=5), "every 5 min"),
        (timedelta(days=2), "every 2 d"),
        (timedelta(hours=36), "every 36 h"),
        (timedelta(seconds=90), "every 90 s"),
        (timedelta(seconds=1.5), "every 1.5 s"),
    ],
)
def test_an_interval_is_shown_in_its_largest_unit(length: timedelta, text: str) -> None:
    assert str(Interval(length=length)) == text
