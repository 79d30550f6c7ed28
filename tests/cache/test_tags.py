"""A tag makes all that depends on it worthless, at a cost that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable

from fastforge.cache import CacheSpace, CacheStore


async def test_invalidate_reaches_every_value_of_a_tag_in_every_namespace(
    new_cache: Callable[..., CacheSpace],
) -> None:
    here, there = new_cache(), new_cache()
    await here.set("a", 1, tags=["x", "y"])
    await here.namespace("n").set("b", 2, tags=["y"])
    await here.set("c", 3, tags=["x"])
    await here.set("d", 4)
    assert await there.invalidate("y")
    assert [await here.get(key) for key in "acd"] == [None, 3, 4]
    assert await here.namespace("n").get("b") is None
    await here.set("a", 5, tags=["y"])
    assert await there.get("a") == 5
    await there.invalidate("x", "y", "never used")
    assert [await here.get(key) for key in "acd"] == [None, None, 4]


async def test_a_mark_that_is_gone_makes_a_value_worthless_and_not_right_again(
    cache: CacheSpace, store: CacheStore
) -> None:
    """A store that is full forgets marks: what was invalidated must not come back by that."""
    await cache.set("k", 1, tags=["t"])
    await store.remove(["t:t"])
    assert await cache.get("k") is None
    await cache.set("other", 1, tags=["t"])
    assert await cache.get("k") is None
    assert await cache.get("other") == 1


async def test_a_mark_lives_as_long_as_the_longest_value_that_needs_it(
    cache: CacheSpace, store: CacheStore
) -> None:
    await cache.set("long", 1, ttl_s=5000, tags=["t"])
    await cache.set("short", 2, ttl_s=5, tags=["t"])
    mark = await store.read("t:t", with_left=True)
    assert mark is not None
    assert mark.left_s > 1000


async def test_tags_may_be_any_text(cache: CacheSpace) -> None:
    tags = ["a\nb", '"', "#", "é", " "]
    await cache.set("k", 1, tags=tags)
    assert await cache.get("k") == 1
    await cache.invalidate("#")
    assert await cache.get("k") is None
