"""A lock has one holder, who knows when he is it no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fastforge.cache import CacheAway, CacheSpace, CacheStore, LockLost, LockTaken
from tests.processes import wait_until_async


async def test_one_holder_at_a_time(new_cache: Callable[..., CacheSpace]) -> None:
    caches = [new_cache() for _ in range(4)]
    inside, fences, most = 0, [], 0

    async def work(cache: CacheSpace) -> None:
        nonlocal inside, most
        async with cache.lock("l", timeout_s=60) as lock:
            inside += 1
            most = max(most, inside)
            fences.append(lock.fence)
            await asyncio.sleep(0)
            lock.check()
            inside -= 1

    await asyncio.gather(*(work(caches[number % 4]) for number in range(12)))
    assert most == 1
    assert fences == sorted(set(fences))


async def test_who_does_not_wait_is_told_that_it_is_taken(cache: CacheSpace) -> None:
    async with cache.lock("l", timeout_s=0):
        with pytest.raises(LockTaken, match="is held by another") as caught:
            async with cache.lock("l", timeout_s=0):
                pass
        async with cache.namespace("n").lock("l", timeout_s=0):
            pass
    assert caught.value.code == "cache.E005"
    async with cache.lock("l", timeout_s=0):
        pass


async def test_a_lease_is_renewed_while_it_is_held(
    cache: CacheSpace, store: CacheStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed = asyncio.Event()
    renew = store.renew

    async def counted(key: str, token: str, /, *, lease_s: float) -> bool:
        held = await renew(key, token, lease_s=lease_s)
        renewed.set()
        return held

    monkeypatch.setattr(store, "renew", counted)
    async with cache.lock("l", timeout_s=0, lease_s=3) as lock:
        await asyncio.wait_for(renewed.wait(), 60)
        lock.check()


async def test_a_holder_that_was_followed_learns_it_and_cannot_free_the_lock_of_another(
    cache: CacheSpace, store: CacheStore
) -> None:
    with pytest.raises(LockLost) as caught:
        async with cache.lock("l", timeout_s=0, lease_s=30) as lock:
            # As when its lease has run out while the process stood still.
            await store.release("l:v::l", lock.token)
            async with cache.lock("l", timeout_s=0) as other:
                assert other.fence > lock.fence
                await lock._give_back()
                other.check()
    assert caught.value.code == "cache.E006"


async def test_a_lost_lease_shows_when_it_is_renewed(cache: CacheSpace, store: CacheStore) -> None:
    with pytest.raises(LockLost):
        async with cache.lock("l", timeout_s=0, lease_s=0.3) as lock:
            await store.release("l:v::l", lock.token)

            async def is_lost() -> bool:
                return lock.is_lost

            await wait_until_async(is_lost)
            lock.check()


async def test_an_error_inside_is_what_is_raised(cache: CacheSpace, store: CacheStore) -> None:
    with pytest.raises(ValueError, match="inside"):
        async with cache.lock("l", timeout_s=0) as lock:
            await store.release("l:v::l", lock.token)
            raise ValueError("inside")


async def test_a_lock_is_never_had_without_its_store(
    cache: CacheSpace, store: CacheStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading goes on without a store; a lock that everybody has is none."""

    async def away(*_: object, **__: object) -> int:
        raise CacheAway("away", code="cache.E010")

    with monkeypatch.context() as patch:
        patch.setattr(store, "claim", away)
        with pytest.raises(CacheAway):
            async with cache.lock("l"):
                raise AssertionError("it is held")


async def test_a_claim_whose_answer_is_lost_does_not_block_the_lock(
    cache: CacheSpace, store: CacheStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = store.claim

    async def late(key: str, token: str, /, *, lease_s: float) -> int:
        await claim(key, token, lease_s=lease_s)
        raise CacheAway("no answer", code="cache.E010")

    with monkeypatch.context() as patch:
        patch.setattr(store, "claim", late)
        with pytest.raises(CacheAway):
            async with cache.lock("l", timeout_s=0):
                raise AssertionError("it is held")
    async with cache.lock("l", timeout_s=0):
        pass


async def test_who_is_cancelled_while_he_waits_holds_nothing(cache: CacheSpace) -> None:
    async def wait() -> None:
        async with cache.lock("l", timeout_s=60):
            raise AssertionError("it is held")

    async with cache.lock("l", timeout_s=0):
        task = asyncio.create_task(wait())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with cache.lock("l", timeout_s=0):
        pass
