"""Of many who want the same one makes it, and nobody is harmed by what becomes of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from fastforge.cache import MISSING, CacheError, CacheSpace, CacheStore
from tests.processes import wait_until_async

from .conftest import Maker


async def test_a_thousand_at_once_make_one_call(cache: CacheSpace, maker: Maker) -> None:
    tasks = [asyncio.create_task(cache.get_or_set("k", maker)) for _ in range(1000)]
    await maker.began.wait()
    maker.go_on.set()
    assert await asyncio.gather(*tasks) == ["made"] * 1000
    assert maker.calls == 1


async def test_those_who_come_while_it_lands_make_no_second_call(cache: CacheSpace) -> None:
    """A look before the flight and another one after it would leave a gap."""
    calls = 0

    async def make() -> int:
        nonlocal calls
        calls += 1
        return calls

    async def ask(number: int) -> int:
        for _ in range(number % 17):
            await asyncio.sleep(0)
        return await cache.get_or_set("k", make, type=int)

    assert await asyncio.gather(*map(ask, range(500))) == [1] * 500
    assert calls == 1


async def test_an_exception_reaches_everybody_and_is_not_cached(cache: CacheSpace) -> None:
    maker = Maker(ValueError("no such thing"))
    tasks = [asyncio.create_task(cache.get_or_set("k", maker)) for _ in range(100)]
    await maker.began.wait()
    maker.go_on.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert {str(end) for end in ends} == {"no such thing"}
    assert maker.calls == 1
    assert await cache.get("k", default=MISSING) is MISSING
    maker.value = "better"
    assert await cache.get_or_set("k", maker) == "better"


async def test_the_traceback_of_a_shared_exception_does_not_grow(cache: CacheSpace) -> None:
    maker = Maker(ValueError("once"))
    tasks = [asyncio.create_task(cache.get_or_set("k", maker)) for _ in range(200)]
    await maker.began.wait()
    maker.go_on.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(maker.value, ValueError)
    traceback, frames = maker.value.__traceback__, 0
    while traceback is not None:
        traceback, frames = traceback.tb_next, frames + 1
    assert frames < 20


async def test_when_the_first_is_cancelled_the_next_one_makes_it(cache: CacheSpace) -> None:
    """With a session of its own: that of a request which is over could not be used."""
    first, second = Maker("of the first"), Maker("of the second")
    leading = asyncio.create_task(cache.get_or_set("k", first))
    await first.began.wait()
    others = [asyncio.create_task(cache.get_or_set("k", second)) for _ in range(50)]
    await asyncio.sleep(0)
    leading.cancel()
    await second.began.wait()
    second.go_on.set()
    assert await asyncio.gather(*others) == ["of the second"] * 50
    assert (first.calls, second.calls) == (1, 1)
    assert leading.cancelled() or isinstance(leading.exception(), asyncio.CancelledError)


async def test_who_waits_and_is_cancelled_leaves_the_others_alone(
    cache: CacheSpace, maker: Maker
) -> None:
    leading = asyncio.create_task(cache.get_or_set("k", maker))
    await maker.began.wait()
    waiting = [asyncio.create_task(cache.get_or_set("k", maker)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    maker.go_on.set()
    assert await asyncio.gather(leading, *waiting[1:]) == ["made"] * 3
    assert maker.calls == 1


async def test_what_waits_for_itself_is_told_so(cache: CacheSpace) -> None:
    async def inner() -> str:
        return str(await cache.get_or_set("k", inner))

    with pytest.raises(CacheError, match="would wait for itself"):
        await asyncio.wait_for(cache.get_or_set("k", inner), 30)
    assert await cache.get_or_set("k", make_done) == "done"


async def make_done() -> str:
    return "done"


async def test_one_key_may_need_another(cache: CacheSpace) -> None:
    async def outer() -> str:
        return f"outer of {await cache.get_or_set('inner', make_done)}"

    assert await cache.get_or_set("outer", outer) == "outer of done"


@pytest.mark.parametrize("how", ["delete", "invalidate", "clear", "set"])
async def test_what_is_forgotten_while_it_is_made_is_not_kept(
    cache: CacheSpace, maker: Maker, how: str
) -> None:
    """It was read before the change; who asks after that reads anew."""
    before = asyncio.create_task(cache.get_or_set("k", maker, tags=["t"]))
    await maker.began.wait()
    if how == "delete":
        await cache.delete("k")
    elif how == "invalidate":
        await cache.invalidate("t")
    elif how == "clear":
        await cache.clear()
    else:
        await cache.set("k", "set meanwhile", tags=["t"])
    after = "set meanwhile" if how == "set" else "done"
    assert await cache.get_or_set("k", make_done, tags=["t"]) == after
    maker.go_on.set()
    assert await before == "made"
    assert await cache.get("k") == after


async def test_another_process_invalidates_while_it_is_made(
    new_cache: Callable[..., CacheSpace], maker: Maker
) -> None:
    here, there = new_cache(), new_cache()
    before = asyncio.create_task(here.get_or_set("k", maker, tags=["t"]))
    await maker.began.wait()
    await there.invalidate("t")
    maker.go_on.set()
    assert await before == "made"
    assert await here.get("k") is None
    assert await there.get_or_set("k", make_done, tags=["t"]) == "done"


async def test_early_one_makes_it_anew_and_the_others_have_the_old(
    new_cache: Callable[..., CacheSpace], maker: Maker
) -> None:
    here, there = new_cache(), new_cache()
    await here.set("k", "old", ttl_s=600)

    def ask(cache: CacheSpace) -> asyncio.Task[object]:
        return asyncio.create_task(cache.get_or_set("k", maker, ttl_s=5000, early_s=1000))

    refreshing = ask(here)
    await maker.began.wait()
    assert await asyncio.gather(*(ask(here) for _ in range(50))) == ["old"] * 50
    assert await asyncio.gather(*(ask(there) for _ in range(50))) == ["old"] * 50
    maker.go_on.set()
    assert await refreshing == "made"
    assert maker.calls == 1
    assert await ask(there) == "made"
    assert maker.calls == 1


async def test_when_it_cannot_be_made_anew_the_old_one_holds(
    cache: CacheSpace, caplog: pytest.LogCaptureFixture
) -> None:
    await cache.set("k", "old", ttl_s=600)

    async def fail() -> str:
        raise ValueError("not now")

    assert await cache.get_or_set("k", fail, ttl_s=600, early_s=1000) == "old"
    assert "could not be made anew" in caplog.text
    # And it is tried again by the next one.
    assert await cache.get_or_set("k", make_done, ttl_s=5000, early_s=1000) == "done"


async def test_nothing_is_left_of_flights(cache: CacheSpace, store: CacheStore) -> None:
    maker = Maker()
    task = asyncio.create_task(cache.get_or_set("k", maker))
    await maker.began.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    flights = cache._engine.flights

    async def none_left() -> bool:
        return not flights._flights

    await wait_until_async(none_left)
    await cache.get_or_set("k", make_done)
    assert not flights._flights
