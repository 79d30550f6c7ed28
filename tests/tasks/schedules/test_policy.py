"""Which of the times that have passed are entered, by policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fastforge.tasks.schedules.cron import Cron
from fastforge.tasks.schedules.interval import Interval
from fastforge.tasks.schedules.moments import next_moment
from fastforge.tasks.schedules.policy import MOST_CAUGHT_UP, passed_times
from fastforge.tasks.schedules.schedule import CatchUp

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOURLY = Interval(length=timedelta(hours=1))


def hours(policy: CatchUp, since: datetime, now: datetime) -> list[tuple[int, bool]]:
    passed = passed_times(HOURLY.after, policy, since, now)
    return [(each.due_at.hour, each.has_job) for each in passed]


@pytest.mark.parametrize("policy", ["none", "latest", "all"])
def test_a_time_that_has_just_come_gets_its_job_by_every_policy(policy: CatchUp) -> None:
    late = NOON + timedelta(seconds=3)
    assert hours(policy, NOON - timedelta(hours=1), late) == [(12, True)]
    assert hours(policy, NOON, late) == []


@pytest.mark.parametrize(
    ("policy", "entered"),
    [
        ("none", [(12, False)]),
        ("latest", [(12, True)]),
        ("all", [(9, True), (10, True), (11, True), (12, True)]),
    ],
)
def test_after_an_outage_the_policy_decides(
    policy: CatchUp, entered: list[tuple[int, bool]]
) -> None:
    since, now = NOON - timedelta(hours=4), NOON + timedelta(minutes=30)
    assert hours(policy, since, now) == entered


def test_an_outage_that_ends_at_a_due_time_runs_that_one_even_without_catching_up() -> None:
    assert hours("none", NOON - timedelta(hours=4), NOON) == [(12, True)]


def test_at_most_the_last_1000_times_are_caught_up() -> None:
    passed = passed_times(HOURLY.after, "all", NOON - timedelta(days=365), NOON)
    assert len(passed) == MOST_CAUGHT_UP
    assert passed[-1].due_at == NOON
    assert passed[0].due_at == NOON - timedelta(hours=MOST_CAUGHT_UP - 1)


def test_the_last_time_after_years_is_found_in_few_steps() -> None:
    cron, steps = Cron.parse("* * * * *"), 0

    def next_after(moment: datetime) -> datetime | None:
        nonlocal steps
        steps += 1
        return next_moment(cron, ZoneInfo("Europe/Berlin"), moment)

    (last,) = passed_times(next_after, "latest", NOON - timedelta(days=2000), NOON)
    assert last.due_at == NOON
    assert steps < 20


def test_a_schedule_that_never_comes_enters_nothing() -> None:
    assert passed_times(lambda _: None, "all", NOON - timedelta(days=9), NOON) == []
