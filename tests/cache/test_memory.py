"""The memory of one process: bounded, and on a clock that nobody sets."""

from __future__ import annotations

import time

import pytest

from fastforge.cache import CacheSpace, Caching, MemoryStore
from fastforge.cache.engine import Engine
from fastforge.cache.memory import OVERHEAD_BYTES


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def store_with(clock: Clock, **limits: int) -> MemoryStore:
    return MemoryStore(**{"max_entries": 3, "max_bytes": 10_000, **limits}, clock=clock)


async def test_what_was_not_asked_for_the_longest_gives_way(clock: Clock) -> None:
    store = store_with(clock)
    for key in "abc":
        await store.write(key, b"1", ttl_s=60)
    await store.read("a")
    await store.write("d", b"1", ttl_s=60)
    assert [await store.read(key) is not None for key in "abcd"] == [True, False, True, True]
    assert store.gauges().evicted == 1


async def test_it_never_takes_more_than_its_bytes(clock: Clock) -> None:
    store = store_with(clock, max_entries=10_000, max_bytes=10_000)
    for number in range(500):
        await store.write(f"k{number}", b"x" * (number % 900), ttl_s=60)
        assert store.gauges().size_bytes <= 10_000
    await store.write("large", b"x" * 20_000, ttl_s=60)
    assert await store.read("large") is None
    await store.clear("")
    assert (store.gauges().size_bytes, store.gauges().entries) == (0, 0)


async def test_its_size_is_what_is_in_it(clock: Clock) -> None:
    store = store_with(clock)
    await store.write("key", b"12345", ttl_s=60)
    await store.write("key", b"123", ttl_s=60)
    await store.touch("key", ttl_s=5)
    assert store.gauges().size_bytes == OVERHEAD_BYTES + 3 + 3
    clock.now += 6
    assert await store.read("key") is None
    assert store.gauges().size_bytes == 0


async def test_values_end_at_their_time_and_not_before(clock: Clock) -> None:
    store = store_with(clock)
    await store.write("k", b"1", ttl_s=10)
    await store.add("n", 1, ttl_s=10)
    clock.now += 9.9
    kept = await store.read("k", with_left=True)
    assert kept is not None
    assert kept.left_s == pytest.approx(0.1)
    assert await store.add("n", 1, ttl_s=10) == 2
    clock.now += 0.1
    assert await store.read("k") is None
    assert await store.add("n", 1, ttl_s=10) == 1  # its time began with it


@pytest.mark.parametrize("jump_s", [-3600, 3600, -1e9])
async def test_a_clock_that_is_set_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    """F27: neither do values live longer when the clock is set back, nor end when it is set on."""
    store = MemoryStore(max_entries=10, max_bytes=10_000)
    cache = CacheSpace(Engine(Caching(), lambda: store))
    await cache.set("k", 1, ttl_s=60, tags=["t"])
    async with cache.lock("l", timeout_s=0) as lock:
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + jump_s)
        assert await cache.get("k") == 1
        kept = await store.read("v::k", with_left=True)
        assert kept is not None
        assert 0 < kept.left_s <= 60
        lock.check()


async def test_locks_that_are_over_are_forgotten(clock: Clock) -> None:
    store = store_with(clock, max_entries=5)
    for number in range(100):
        assert await store.claim(f"l{number}", "token", lease_s=1)
        clock.now += 2
    assert len(store._locks) <= 6
