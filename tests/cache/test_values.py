"""What is cached is found as it was, as its type says, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from fastforge.cache import MISSING, CacheError, CacheSpace, CacheStore


class Article(BaseModel):
    slug: str
    price: Decimal = Decimal("9.50")


@dataclass
class Row:
    slug: str


async def test_what_was_never_cached_is_the_default(cache: CacheSpace) -> None:
    assert await cache.get("nothing") is None
    assert await cache.get("nothing", default=7) == 7


async def test_none_is_cached_and_is_no_miss(cache: CacheSpace) -> None:
    calls = []

    async def find() -> None:
        calls.append(1)

    assert await cache.get("k", default=MISSING) is MISSING
    for _ in range(3):
        assert await cache.get_or_set("k", find, type=Article | None) is None
    assert len(calls) == 1
    assert await cache.get("k", default=MISSING) is None


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (Article(slug="a"), Article),
        ([Article(slug="a"), Article(slug="b")], list[Article]),
        (Decimal("1.10"), Decimal),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime),
        (UUID(int=7), UUID),
        ({1: {2, 3}}, dict[int, set[int]]),
        ("#no tag\n", str),
        ("", str),
        (Row("x"), Row),
        (0, int | None),
        (b"bytes", bytes),
    ],
)
async def test_values_come_back_with_their_type(cache: CacheSpace, value: Any, type_: Any) -> None:
    assert await cache.set("k", value, type=type_, tags=["t"])
    found = await cache.get("k", type=type_)
    assert found == value
    assert type(found) is type(value)


async def test_a_miss_gives_what_a_hit_gives(cache: CacheSpace) -> None:
    """Else code that works with the object that was made fails with the one that is found."""

    async def make() -> Row:
        return Row("a")

    first = await cache.get_or_set("k", make, type=Article)
    second = await cache.get_or_set("k", make, type=Article)
    assert first == second == Article(slug="a")
    assert first is not second


async def test_a_value_of_another_type_is_not_found_and_made_anew(cache: CacheSpace) -> None:
    """As after a release that changes the model."""
    await cache.set("k", {"name": "of the old model"})

    async def make() -> Article:
        return Article(slug="new")

    assert await cache.get("k", type=Article) is None
    assert await cache.get_or_set("k", make, type=Article) == Article(slug="new")
    assert await cache.get("k", type=Article) == Article(slug="new")


async def test_two_types_for_one_key_at_the_same_time(cache: CacheSpace) -> None:
    async def number() -> int:
        await asyncio.sleep(0.01)
        return 7

    async def words() -> list[str]:
        return ["seven"]

    found = await asyncio.gather(
        cache.get_or_set("k", number, type=int), cache.get_or_set("k", words, type=list[str])
    )
    assert found == [7, ["seven"]]


@pytest.mark.parametrize(
    ("value", "type_", "said"),
    [
        (object(), Any, "a object cannot be cached as JSON"),
        ("words", int, "a str cannot be cached as int"),
        (b"\xff\xfe", bytes, "a bytes cannot be cached as bytes"),
    ],
)
async def test_what_cannot_be_json_is_refused(
    cache: CacheSpace, value: Any, type_: Any, said: str
) -> None:
    with pytest.raises(CacheError, match=said) as caught:
        await cache.set("k", value, type=type_)
    assert caught.value.code == "cache.E003"


async def test_what_is_larger_than_allowed_is_returned_and_not_kept(
    new_cache: Callable[..., CacheSpace],
) -> None:
    cache = new_cache(max_value_bytes=10)

    async def make() -> str:
        return "x" * 100

    assert await cache.get_or_set("k", make) == "x" * 100
    assert await cache.get("k") is None
    assert not await cache.set("k", "x" * 100)


async def test_delete_touch_and_incr(cache: CacheSpace) -> None:
    assert await cache.incr("hits") == 1
    assert await cache.incr("hits", 5) == 6
    assert await cache.get("hits", type=int) == 6
    assert await cache.touch("hits", 100)
    assert await cache.delete("hits", "and one that is not there")
    assert await cache.get("hits") is None
    assert not await cache.touch("hits", 100)
    await cache.set("hits", 41)
    assert await cache.incr("hits") == 42


async def test_only_numbers_can_be_added_to(cache: CacheSpace) -> None:
    await cache.set("k", ["no number"])
    with pytest.raises(CacheError, match="is no number") as caught:
        await cache.incr("k")
    assert caught.value.code == "cache.E002"


async def test_namespaces_are_apart_and_their_names_cannot_run_into_keys(
    cache: CacheSpace,
) -> None:
    spaces = [cache, cache.namespace("a"), cache.namespace("a").namespace("b")]
    keys = ["b:c", "a:b:c", "a/b:c", "c", ":c", "/b:c"]
    for number, space in enumerate(spaces):
        for key in keys:
            await space.set(key, f"{number} {key}")
    for number, space in enumerate(spaces):
        for key in keys:
            assert await space.get(key) == f"{number} {key}"


async def test_clear_empties_a_namespace_and_those_in_it(cache: CacheSpace) -> None:
    for space in (cache, cache.namespace("a"), cache.namespace("a").namespace("b")):
        await space.set("k", 1)
    await cache.namespace("ab").set("k", 1)
    assert await cache.namespace("a").clear()
    assert await cache.namespace("a").get("k") is None
    assert await cache.namespace("a").namespace("b").get("k") is None
    assert await cache.namespace("ab").get("k") == 1
    assert await cache.get("k") == 1
    await cache.clear()
    assert await cache.namespace("ab").get("k") is None


async def test_keys_of_any_length_and_with_any_characters(cache: CacheSpace) -> None:
    keys = ["x" * 10_000, "x" * 10_001, "*", "a*b?[c]", "é\n\0", "\\"]
    for key in keys:
        await cache.set(key, key[-20:])
    assert [await cache.get(key) for key in keys] == [key[-20:] for key in keys]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda cache: cache.get(""), "cache.E008"),
        (lambda cache: cache.set("k", 1, ttl_s=0), "cache.E009"),
        (lambda cache: cache.set("k", 1, ttl_s=float("inf")), "cache.E009"),
        (lambda cache: cache.set("k", 1, ttl_s=float("nan")), "cache.E009"),
    ],
)
async def test_wrong_use_is_refused(cache: CacheSpace, call: Any, code: str) -> None:
    with pytest.raises(CacheError) as caught:
        await call(cache)
    assert caught.value.code == code


async def test_the_name_of_a_namespace_is_checked(cache: CacheSpace) -> None:
    with pytest.raises(CacheError, match="is no name of a namespace"):
        cache.namespace("a:b")


async def test_garbage_in_the_store_is_not_found(store: CacheStore, cache: CacheSpace) -> None:
    for garbage in (b"\xff\x00", b"#nonsense", b"#[1]\n1", b"#[[1]]\n1", b""):
        await store.write("v::k", garbage, ttl_s=60)
        assert await cache.get("k", default=MISSING) is MISSING, garbage
