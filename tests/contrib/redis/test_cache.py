"""The cache in Redis under every fault: nobody fails, nobody waits twice, nobody sees another's."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fastforge import Project, Role
from fastforge.cache import MISSING, CacheAway, CacheSpace, Caching, cache_of
from fastforge.cache.backend import store_of
from fastforge.contrib.redis import redis_client
from fastforge.contrib.redis.cache import RedisStore
from fastforge.lifecycle import BreakerState, Container, breaker_gauges, use_container
from fastforge.test.proxy import Proxy
from tests.folder import ProjectFolder, isolated
from tests.processes import wait_until_async

SETTINGS = """
    from fastforge.cache import Caching
    from fastforge.conf import env
    from fastforge.contrib.redis import Redis

    SECRET_KEY = "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"
    INSTALLED_APPS = ["fastforge.contrib.redis"]
    REDIS = Redis(url=env("REDIS_URL"))
    CACHE = Caching(backend="redis", timeout_s=0.2)
"""
ROUNDS = 30


@pytest.fixture
def folder(tmp_path: Any) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        yield folder


@asynccontextmanager
async def running(folder: ProjectFolder, url: str) -> AsyncIterator[Container]:
    project: Project = folder.load({"FASTFORGE_ENV": "test", "REDIS_URL": url})
    async with project.running(Role.COMMAND) as container:
        yield container


@pytest.fixture
def proxy(redis_url: str) -> Iterator[Proxy]:
    with Proxy(redis_url) as proxy:
        yield proxy


@pytest.fixture
async def container(folder: ProjectFolder, proxy: Proxy) -> AsyncIterator[Container]:
    async with running(folder, proxy.url) as container:
        yield container


@pytest.fixture
def cache(container: Container) -> CacheSpace:
    return cache_of(container)


def store(container: Container) -> RedisStore:
    found = store_of(container)
    assert isinstance(found, RedisStore)
    return found


async def is_back(container: Container) -> None:
    async def works() -> bool:
        return store(container)._breaker.state is BreakerState.CLOSED

    await wait_until_async(works)


def refused(proxy: Proxy) -> None:
    proxy.refuse()
    proxy.reset()


FAULTS: dict[str, Callable[[Proxy], None]] = {
    "refused": refused,
    "blackholed": Proxy.blackhole,
    "slow by 2 s": lambda proxy: proxy.slow(latency_s=2),
    "cut in mid-answer": lambda proxy: proxy.cut_after(3),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_fails_no_request_and_costs_one_time_limit(
    container: Container, cache: CacheSpace, proxy: Proxy, fault: str
) -> None:
    """One call waits, and none after it: `refused` counts those that did not ask at all."""
    await cache.set("k", "kept", ttl_s=600)
    assert await cache.get("k") == "kept"
    FAULTS[fault](proxy)

    async def make() -> str:
        return "made"

    breaker = store(container)._breaker
    asked_before = proxy.bytes_to_server
    for number in range(ROUNDS):
        assert await cache.get_or_set(f"new{number}", make) == "made"
        assert await cache.get("k", default=MISSING) is MISSING
        assert not await cache.set("k2", 1)
        assert await cache.incr("n") is None
    assert breaker.opened == 1
    assert breaker.refused >= ROUNDS * 4 - 2  # the two halves of the first `get_or_set` may ask
    assert proxy.bytes_to_server - asked_before < 1000
    proxy.heal()
    await is_back(container)
    assert await cache.get("k") == "kept"
    assert await cache.set("k2", 1)


@pytest.mark.parametrize("fault", ["refused", "blackholed"])
async def test_many_at_once_wait_once_side_by_side(
    container: Container, cache: CacheSpace, proxy: Proxy, fault: str
) -> None:
    FAULTS[fault](proxy)

    async def make() -> int:
        return 7

    async with asyncio.timeout(60):  # one after the other they would take 100 limits and more
        found = await asyncio.gather(*(cache.get_or_set(f"k{n}", make) for n in range(500)))
    assert found == [7] * 500
    assert store(container)._breaker.opened == 1


async def test_what_was_to_be_forgotten_while_it_was_away_is_forgotten_before_it_is_read(
    container: Container, cache: CacheSpace, proxy: Proxy
) -> None:
    await cache.set("deleted", "old", ttl_s=600)
    await cache.set("tagged", "old", ttl_s=600, tags=["t"])
    refused(proxy)
    assert not await cache.delete("deleted")
    assert not await cache.invalidate("t")
    proxy.heal()
    await is_back(container)
    assert await cache.get("deleted") is None
    assert await cache.get("tagged") is None


async def test_nobody_is_given_the_value_of_another(
    container: Container, cache: CacheSpace, proxy: Proxy
) -> None:
    """Callers are cancelled while answers are under way, and connections are cut inside them."""
    chance = random.Random(7)
    names = [f"user{number}" for number in range(40)]

    async def ask(name: str) -> None:
        found = await cache.get(name)
        assert found in (None, {"name": name, "text": name * 50})

    for name in names:
        await cache.set(name, {"name": name, "text": name * 50}, ttl_s=600)
    for turn in range(25):
        if turn % 5 == 4:
            proxy.cut_after(chance.randrange(1, 4000))
        tasks = [asyncio.create_task(ask(chance.choice(names))) for _ in range(40)]
        await asyncio.sleep(chance.random() * 0.003)
        for task in chance.sample(tasks, 20):
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        wrong = [end for end in ends if isinstance(end, Exception)]
        assert wrong == []
        proxy.heal()
        await is_back(container)
    client = container[redis_client]
    for name in names:
        assert await cache.get(name) == {"name": name, "text": name * 50}
    assert len(client.connection_pool._in_use_connections) == 0


async def test_it_starts_while_redis_is_away_and_finds_it(
    folder: ProjectFolder, proxy: Proxy
) -> None:
    proxy.refuse()
    async with running(folder, proxy.url) as container:
        cache = cache_of(container)
        assert not await cache.set("k", 1)
        proxy.heal()
        await is_back(container)
        assert await cache.set("k", 1)
        assert await cache.get("k") == 1


async def test_readiness_and_metrics_know_the_breaker(
    container: Container, cache: CacheSpace, proxy: Proxy
) -> None:
    refused(proxy)
    await cache.get("k")
    with use_container(container):
        gauges = breaker_gauges()["cache"]
    assert gauges.state is BreakerState.OPEN
    assert "Redis at redis://127.0.0.1" in gauges.failure


async def test_a_lock_says_that_nobody_can_know(cache: CacheSpace, proxy: Proxy) -> None:
    refused(proxy)
    with pytest.raises(CacheAway) as caught:
        async with cache.lock("l"):
            raise AssertionError("it is held")
    assert caught.value.code == "cache.E010"


async def test_keys_have_the_project_and_the_version_in_front(
    container: Container, cache: CacheSpace
) -> None:
    await cache.set("k", {"a": 1}, tags=["t"])
    await cache.set("plain", {"a": 1})
    client = container[redis_client]
    assert sorted(await client.keys("*")) == [
        b"shop:cache1.1:t:t",
        b"shop:cache1.1:v::k",
        b"shop:cache1.1:v::plain",
    ]
    assert await client.get("shop:cache1.1:v::plain") == b'{"a":1}'
    assert all([await client.pttl(key) > 0 for key in await client.keys("*")])


async def test_another_version_or_project_finds_nothing(
    folder: ProjectFolder, container: Container, cache: CacheSpace, proxy: Proxy
) -> None:
    await cache.set("k", 1)
    for changed in (Caching(backend="redis", version=2), Caching(backend="redis", prefix="other")):
        project = folder.load({"FASTFORGE_ENV": "test", "REDIS_URL": proxy.url})
        async with project.overriding(settings={"CACHE": changed}).running(Role.COMMAND) as other:
            assert await cache_of(other).get("k") is None


async def test_an_error_of_the_server_is_a_miss_and_no_outage(
    container: Container, cache: CacheSpace, caplog: pytest.LogCaptureFixture
) -> None:
    client = container[redis_client]
    await client.lpush("shop:cache1.1:v::k", "no value")
    for _ in range(3):
        assert await cache.get("k", default=MISSING) is MISSING
    assert store(container)._breaker.state is BreakerState.CLOSED
    told = [each for each in caplog.records if each.name == "fastforge.cache"]
    assert len(told) == 1
    assert "WRONGTYPE" in told[0].getMessage()
