"""The cache of a test, once in memory and once in a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from fastforge.cache import CacheSpace, CacheStore, Caching, MemoryStore
from fastforge.cache.engine import Engine
from fastforge.contrib.redis import Redis, open_client
from fastforge.contrib.redis.cache import RedisStore
from fastforge.lifecycle import Breaker


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[CacheStore]:
    """Each test runs with both."""
    if request.param == "memory":
        yield MemoryStore(max_entries=1000, max_bytes=2**20)
        return
    client = open_client(Redis(url=request.getfixturevalue("redis_url")))
    store = RedisStore(
        client, prefix="test:", timeout_s=10, breaker=Breaker("cache", opens_after=1)
    )
    yield store
    await store.close()
    await client.aclose()


@pytest.fixture
def new_cache(store: CacheStore) -> Callable[..., CacheSpace]:
    """Gives the cache as another process has it: the same store, nothing else in common."""

    def make(**config: Any) -> CacheSpace:
        return CacheSpace(Engine(Caching(**config), lambda: store))

    return make


@pytest.fixture
def cache(new_cache: Callable[..., CacheSpace]) -> CacheSpace:
    return new_cache()


class Maker:
    """Makes a value, counts how often, and waits for a test before it is done."""

    def __init__(self, value: object = "made") -> None:
        self.value = value
        self.calls = 0
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self) -> object:
        self.calls += 1
        self.began.set()
        await self.go_on.wait()
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@pytest.fixture
def maker() -> Maker:
    return Maker()
