"""Redis fails while somebody asks: the real check decides, and nobody is anybody else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from fastforge.cache.dependencies import engine_of
from fastforge.contrib.auth import Identity
from fastforge.contrib.auth.resources import identities
from fastforge.contrib.redis.cache import RedisStore
from fastforge.lifecycle import Container, breaker_gauges
from fastforge.test.proxy import Proxy

from .conftest import Start, asked, sign_up, words_of

USERS = 4
LIMIT_S = 0.25


@pytest.fixture
def redis(redis_url: str) -> Iterator[Proxy]:
    with Proxy(redis_url) as proxy:
        yield proxy


@pytest.fixture
async def shared(start: Start, redis: Proxy) -> AsyncIterator[Container]:
    """The project with a Redis that may fail, and some users."""
    more = f"""
    REDIS = {{"url": {redis.url!r}}}
    CACHE = {{"backend": "redis", "timeout_s": {LIMIT_S}}}
"""
    async with start(apps='"fastforge.contrib.redis", "shop.web"', more=more) as container:
        for number in range(USERS):
            await sign_up(f"user{number}@example.org")
        yield container


async def ask(container: Container, user: int) -> Identity | str:
    """Ask as after a second: this process has forgotten, and the shared cache may know."""
    container[identities].near.found.clear()
    container[identities].log.fresh_until = float("inf")
    return await asked(f"word-{user}")


async def from_cache(container: Container) -> bool:
    """Whether the shared cache is asked, and knows."""
    words = words_of(container)
    before = len(words.asked)
    assert isinstance(await ask(container, 1), Identity)
    return len(words.asked) == before


async def wait_for_cache(container: Container) -> None:
    async with asyncio.timeout(60):
        while not await from_cache(container):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("fault", ["refused", "blackholed", "slow"])
async def test_the_real_check_goes_on_and_soon_nobody_waits(
    shared: Container, redis: Proxy, fault: str
) -> None:
    assert isinstance(engine_of(shared).store, RedisStore)
    await wait_for_cache(shared)
    if fault == "refused":
        redis.refuse()
        redis.reset()
    elif fault == "blackholed":
        redis.blackhole()
    else:
        redis.slow(latency_s=2)
    words: Any = words_of(shared)
    words.asked.clear()
    began = time.monotonic()
    for _ in range(50):
        assert isinstance(await ask(shared, 1), Identity)
    # Each would wait for the time limit, to read and to write: 25 s. The first one does.
    assert time.monotonic() - began < 50 * LIMIT_S
    gauges = breaker_gauges()["cache"]
    assert len(words.asked) == 50
    assert gauges.opened == 1
    assert gauges.refused > 90  # of a hundred calls: 50 to read, 50 to write
    redis.heal()
    await wait_for_cache(shared)  # without a restart


async def test_an_answer_that_is_cut_makes_nobody_anybody_else(
    shared: Container, redis: Proxy
) -> None:
    for user in range(1, USERS + 1):
        assert isinstance(await ask(shared, user), Identity)
    for count in range(0, 320, 9):
        redis.cut_after(count)
        found = await asyncio.gather(*(ask(shared, user) for user in range(1, USERS + 1)))
        assert [each.id for each in found if isinstance(each, Identity)] == [1, 2, 3, 4]
        redis.heal()
        redis.reset()
    await wait_for_cache(shared)
    for user in range(1, USERS + 1):
        answer = await ask(shared, user)
        assert isinstance(answer, Identity)
        assert answer.id == user
