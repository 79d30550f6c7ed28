"""A user's cached values as the type checkers see them; it is read by mypy and pyright, never run.

An ignored line is a mistake that has to be found: an ignore that ignores nothing is an error too.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from decimal import Decimal
from typing import assert_type

from fastapi import APIRouter

from fastforge.cache import MISSING, Cache, cached

router = APIRouter()


async def names() -> list[str]:
    return ["a"]


@router.get("/names", dependencies=[cached(ttl_s=60, vary=["Accept-Language"], tags=["names"])])
async def names_of(cache: Cache) -> list[str]:
    found = await cache.get_or_set("names", names, type=list[str], ttl_s=60, tags=["names"])
    return assert_type(found, list[str])


async def values(cache: Cache) -> None:
    assert_type(await cache.get("price", type=Decimal), Decimal | None)
    assert_type(await cache.get("price", type=Decimal, default=0), Decimal | int)
    if await cache.get("price", default=MISSING) is MISSING:
        assert_type(await cache.set("price", Decimal(1), ttl_s=5), bool)
    assert_type(await cache.incr("hits"), int | None)
    await cache.set("price", 1, ttl=5)  # type: ignore[call-arg]
    await cache.get_or_set("names", names())  # type: ignore[call-overload]


async def locked(cache: Cache) -> None:
    async with cache.namespace("import").lock("nightly", timeout_s=0) as lock:
        assert_type(lock.fence, int)
