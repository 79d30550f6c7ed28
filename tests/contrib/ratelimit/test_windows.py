"""How often is how often: in memory and in Redis, at once, over time, and when clocks are set."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from limits import parse_many

from fastforge.cache import CacheStore, MemoryStore
from fastforge.contrib.ratelimit.counters import Counters
from fastforge.contrib.ratelimit.library import SlidingWindowCounterRateLimiter
from fastforge.contrib.ratelimit.limits import limits_of
from fastforge.contrib.ratelimit.settings import usable_limits
from fastforge.contrib.ratelimit.windows import Windows
from fastforge.contrib.redis import Redis, open_client
from fastforge.contrib.redis.cache import RedisStore
from fastforge.lifecycle import Breaker
from fastforge.observability.metrics import Meter


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[CacheStore]:
    if request.param == "memory":
        yield MemoryStore(max_entries=1000, max_bytes=2**20, clock=clock)
        return
    client = open_client(Redis(url=request.getfixturevalue("redis_url")))
    breaker = Breaker("cache", opens_after=1)
    store = RedisStore(client, prefix="test:", timeout_s=10, breaker=breaker)
    yield store
    await store.close()
    await client.aclose()


def counters_on(store: CacheStore, clock: Clock) -> Counters:
    """The counters of one of several processes."""
    local = MemoryStore(max_entries=10, max_bytes=10_000)
    return Counters(local=local, shared=lambda: store, clock=clock, digest=bytes, meter=Meter())


async def passes(counters: Counters, limits: str, who: str = "ann") -> bool:
    taken = await counters.take(limits_of(limits), who, by="name", when_away="pass")
    return taken.refused is None


async def test_of_many_who_ask_at_once_as_many_pass_as_may(store: CacheStore, clock: Clock) -> None:
    """They ask two processes, which share what is counted."""
    processes = [counters_on(store, clock) for _ in range(2)]
    asked = [passes(processes[number % 2], "10/minute") for number in range(60)]
    assert sum(await asyncio.gather(*asked)) == 10


async def test_whoever_waits_as_long_as_he_was_told_passes(store: CacheStore, clock: Clock) -> None:
    chance = random.Random(4)
    counters = counters_on(store, clock)
    refusals = 0
    for _ in range(60):
        clock.now_s += chance.expovariate(1 / 2)
        taken = await counters.take(limits_of("5/minute"), "ann", by="name", when_away="pass")
        if taken.refused is None:
            continue
        refusals += 1
        clock.now_s += taken.refused.error().retry_after_s
        assert await passes(counters, "5/minute")
    assert refusals > 5


async def test_in_no_stretch_of_a_window_do_more_than_twice_as_many_pass(
    store: CacheStore, clock: Clock
) -> None:
    """A limit that begins anew with each window would let them pass at its edge, all at once."""
    counters = counters_on(store, clock)
    clock.now_s += 59
    assert [await passes(counters, "10/minute") for _ in range(11)] == [True] * 10 + [False]
    clock.now_s += 2
    assert [await passes(counters, "10/minute") for _ in range(3)] == [True, False, False]


async def test_somebody_else_is_not_counted(store: CacheStore, clock: Clock) -> None:
    counters = counters_on(store, clock)
    assert [await passes(counters, "1/hour", who) for who in ("ann", "bob", "ann")] == [
        True,
        True,
        False,
    ]


async def test_a_clock_that_is_set_back_locks_nobody_out_and_lets_nobody_in_twice(
    store: CacheStore, clock: Clock
) -> None:
    counters = counters_on(store, clock)
    assert [await passes(counters, "2/day") for _ in range(3)] == [True, True, False]
    clock.now_s -= 3600
    assert not await passes(counters, "2/day")
    clock.now_s += 3600
    assert not await passes(counters, "2/day")
    clock.now_s += 2 * 86_400
    assert await passes(counters, "2/day")


async def test_what_is_given_back_can_be_taken_again_and_no_more(
    store: CacheStore, clock: Clock
) -> None:
    counters, limits = counters_on(store, clock), limits_of("2/hour")
    assert [await passes(counters, "2/hour") for _ in range(3)] == [True, True, False]
    await counters.give_back(limits, "ann")
    assert [await passes(counters, "2/hour") for _ in range(2)] == [True, False]
    for _ in range(9):
        await counters.give_back(limits, "bob")
    assert [await passes(counters, "2/hour", "bob") for _ in range(3)] == [True, True, False]


async def test_it_is_a_storage_for_the_strategies_of_limits(
    store: CacheStore, clock: Clock
) -> None:
    (item,) = parse_many("2/hour")
    windows = Windows(store, clock)
    limiter = SlidingWindowCounterRateLimiter(windows)
    assert [await limiter.hit(item, "k") for _ in range(3)] == [True, True, False]
    assert not await limiter.test(item, "k")
    await limiter.clear(item, "k")
    assert await Windows(store, clock).get_sliding_window(item.key_for("k"), 3600) == (
        0,
        0,
        0,
        pytest.approx(7200),
    )
    assert [await windows.incr("f", 60) for _ in range(2)] == [1, 2]
    assert await windows.get("f") == 2
    await windows.clear("f")
    assert await windows.get("f") == 0
    assert await windows.check()


async def test_memory_is_bounded_whoever_asks(clock: Clock) -> None:
    store = MemoryStore(max_entries=100, max_bytes=2**20, clock=clock)
    counters = counters_on(store, clock)
    for number in range(500):
        assert await passes(counters, "2/hour", f"192.0.2.{number}")
    assert store.gauges().entries == 100


READABLE = [
    "10/minute", "5 per 2 hours", " 1 / second ", "10/MINUTES", "3/day; 40/month|100 per year",
    "1/2day,5/hour",
]  # fmt: skip
UNREADABLE = [
    "", " ", "10", "10/", "/minute", "-1/minute", "1.5/minute", "10/minute;", "10/minutess",
    "10/fortnight", "0/minute", "1/0 minute", "often", "\u0661/minute", "10/minute\n5/hour",
    "9999999999/minute",
]  # fmt: skip


@pytest.mark.parametrize("text", READABLE)
def test_what_the_settings_take_is_what_limits_reads(text: str) -> None:
    found = [limit.item for limit in limits_of(usable_limits(text))]
    assert sorted(map(repr, found)) == sorted(map(repr, parse_many(text)))


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_limit_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write '10/minute'"):
        usable_limits(text)
