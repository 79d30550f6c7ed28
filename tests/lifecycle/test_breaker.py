"""A breaker keeps calls from waiting for what is away, and lets one at a time find it back."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator

import pytest

from fastforge.conf import Settings
from fastforge.exceptions import ContainerMissing
from fastforge.lifecycle import (
    Breaker,
    BreakerOpen,
    BreakerState,
    Role,
    breaker_gauges,
    resource,
    running,
    watched_breaker,
)

from .conftest import MakeRegistry


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(random, "uniform", lambda _low, high: high)
    return clock


def breaker_of(**options: float) -> Breaker:
    return Breaker(
        "search",
        opens_after=int(options.get("opens_after", 3)),
        within_s=options.get("within_s", 10),
        first_pause_s=1,
        longest_pause_s=4,
    )


def fails(breaker: Breaker, times: int = 1, error: BaseException | None = None) -> None:
    for _ in range(times):
        with pytest.raises(BaseException) as caught, breaker:  # noqa: PT011
            raise error or ConnectionRefusedError("nobody listens")
        assert not isinstance(caught.value, BreakerOpen)


def works(breaker: Breaker) -> None:
    with breaker:
        pass


def is_refused(breaker: Breaker) -> bool:
    try:
        breaker.check()
    except BreakerOpen:
        return True
    return False


def test_some_failures_in_a_row_open_it_and_calls_then_fail_at_once(clock: Clock) -> None:
    breaker = breaker_of()
    fails(breaker, 2)
    works(breaker)
    fails(breaker, 2)
    works(breaker)  # they were not in a row
    fails(breaker, 3)
    made = False
    with pytest.raises(BreakerOpen, match=r"E016\] the breaker 'search' is open: Conn"), breaker:
        made = True
    assert not made
    gauges = breaker.gauges
    assert (gauges.state, gauges.opened, gauges.refused) == (BreakerState.OPEN, 1, 1)
    assert "nobody listens" in gauges.failure


def test_failures_that_are_far_apart_do_not_open_it(clock: Clock) -> None:
    breaker = breaker_of(within_s=10)
    for _ in range(20):
        fails(breaker)
        clock.now_s += 6
    assert breaker.state is BreakerState.CLOSED


def test_one_call_is_let_through_after_a_pause_and_closes_it(clock: Clock) -> None:
    breaker = breaker_of()
    fails(breaker, 3)
    assert is_refused(breaker)
    clock.now_s += 1
    assert not is_refused(breaker)
    assert breaker.state is BreakerState.HALF_OPEN
    assert is_refused(breaker), "one at a time"
    breaker.succeeded()
    assert breaker.state is BreakerState.CLOSED
    assert not breaker.is_troubled
    works(breaker)


def test_each_failed_attempt_doubles_the_pause_up_to_the_limit(clock: Clock) -> None:
    breaker = breaker_of()
    fails(breaker, 3)
    for pause_s in (1, 2, 4, 4):
        clock.now_s += pause_s - 0.01
        assert is_refused(breaker)
        clock.now_s += 0.01
        fails(breaker)
    clock.now_s += 4
    works(breaker)
    fails(breaker, 3)
    clock.now_s += 1
    assert not is_refused(breaker), "the pauses begin again"


def test_an_attempt_whose_end_nobody_tells_is_followed_by_another_one(clock: Clock) -> None:
    breaker = breaker_of()
    fails(breaker, 3)
    clock.now_s += 1
    fails(breaker, error=asyncio.CancelledError())
    assert breaker.state is BreakerState.HALF_OPEN
    assert is_refused(breaker)
    clock.now_s += 2
    works(breaker)
    assert breaker.state is BreakerState.CLOSED


def test_what_began_before_it_opened_changes_nothing(clock: Clock) -> None:
    breaker = breaker_of()
    fails(breaker, 3)
    breaker.succeeded()
    assert breaker.state is BreakerState.OPEN
    breaker.failed(TimeoutError())
    clock.now_s += 1
    assert not is_refused(breaker), "the pause was not made longer"


def test_only_the_errors_that_mean_that_it_is_away_count(clock: Clock) -> None:
    breaker = breaker_of()
    fails(breaker, 10, ValueError("an answer all the same"))
    assert breaker.state is BreakerState.CLOSED
    fails(breaker, 2)
    fails(breaker, error=ValueError("an answer"))
    fails(breaker, 2)
    assert breaker.state is BreakerState.CLOSED


def test_that_another_one_is_open_says_nothing_of_this_one(clock: Clock) -> None:
    inner, outer = breaker_of(), breaker_of(opens_after=1)
    fails(inner, 3)
    with pytest.raises(BreakerOpen), outer, inner:
        pass
    assert outer.state is BreakerState.CLOSED


def test_that_another_one_is_open_does_not_close_this_one(clock: Clock) -> None:
    inner = breaker_of()
    # Its failures are those of a client, as in `failures=(httpx.TransportError,)`.
    outer = Breaker("rates", failures=(ConnectionRefusedError,), opens_after=1, first_pause_s=1)
    fails(outer)
    clock.now_s += 1
    fails(inner, 3)
    with pytest.raises(BreakerOpen, match="'search' is open"), outer, inner:
        pass
    assert outer.state is BreakerState.HALF_OPEN
    clock.now_s += 10
    works(outer)
    assert outer.state is BreakerState.CLOSED


def test_one_line_tells_that_it_is_open_and_one_that_it_is_closed(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fastforge.lifecycle")
    breaker = breaker_of()
    fails(breaker, 3, OSError("redis://u:hunter2@cache is away"))
    for _ in range(100):
        is_refused(breaker)
    for _ in range(3):
        clock.now_s += 4
        fails(breaker)
    clock.now_s += 4
    works(breaker)
    lines = [(each.levelname, each.getMessage()) for each in caplog.records]
    assert lines == [
        (
            "WARNING",
            "the breaker 'search' is open: OSError: redis://u:***@cache is away; calls fail at"
            " once, and one in a while tries it again",
        ),
        ("INFO", "the breaker 'search' is closed: it works again, after 16.0 s"),
    ]


def test_it_may_be_opened_by_one_error(clock: Clock) -> None:
    breaker = breaker_of()
    breaker.trip(TimeoutError("no answer"))
    breaker.trip(TimeoutError("no answer"))
    assert is_refused(breaker)
    assert breaker.gauges.opened == 1


def test_what_is_lost_opens_it_at_once_and_keeps_one_open_that_is(clock: Clock) -> None:
    breaker = breaker_of()
    breaker.lost(ConnectionResetError("gone"))
    assert breaker.state is BreakerState.OPEN
    clock.now_s += 1
    breaker.check()
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.lost(ConnectionResetError("gone again"))
    assert breaker.state is BreakerState.OPEN
    assert breaker.gauges.opened == 1
    assert breaker.pause_left_s == 2  # twice as long as the first


async def test_who_makes_a_connection_anew_waits_until_it_may_be_tried(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker, slept = breaker_of(), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now_s += seconds * 0.75 if len(slept) == 2 else seconds  # the second wakes us early

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await breaker.next_try()
    assert breaker.state is BreakerState.CLOSED
    breaker.lost(ConnectionResetError("gone"))
    await breaker.next_try()
    assert breaker.state is BreakerState.HALF_OPEN
    assert slept == [0, 1, 0.25]


async def test_a_running_project_tells_of_those_that_are_watched(
    settings: Settings, make_registry: MakeRegistry
) -> None:
    @resource
    async def search() -> AsyncIterator[Breaker]:
        yield watched_breaker(Breaker("search", opens_after=1))

    with pytest.raises(ContainerMissing):
        watched_breaker(Breaker("search"))
    async with running(make_registry(search), settings, Role.WEB) as container:
        assert watched_breaker(Breaker("search")) is container[search]
        Breaker("alone").trip(TimeoutError())
        fails(container[search])
        assert {name: each.state for name, each in breaker_gauges().items()} == {
            "search": BreakerState.OPEN
        }
    async with running(make_registry(search), settings, Role.WEB) as container:
        assert container[search].state is BreakerState.CLOSED
