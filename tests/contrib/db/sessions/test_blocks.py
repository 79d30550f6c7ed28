"""A block that ends as garbage, together with who opened it, ends once and in order."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.blocks import block
from tests.processes import wait_until_async

from ..tables import Account, connections_out


async def rows_of(db: DatabaseConnection, *, atomic: bool) -> AsyncIterator[str]:
    """A stream of rows, as a handler writes it."""
    session = db.session()
    if atomic:
        async with session.atomic(), session.atomic():
            session.add(Account(name="half"))
            await session.flush()
            yield "row"
    else:
        async with session.streaming(select(Account)):
            yield "row"


@pytest.mark.parametrize("atomic", [False, True])
async def test_streams_in_a_circle_of_garbage_give_their_connections_back(
    db: DatabaseConnection, atomic: bool
) -> None:
    """A cancelled answer and its traceback hold each other: the collector finds them at once."""
    failures: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: failures.append(what))
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        for _ in range(5):
            stream = rows_of(db, atomic=atomic)
            await anext(stream)
            circle: list[Any] = [stream]
            circle.append(circle)
            del stream, circle
            gc.collect()
            await wait_until_async(lambda: connections_out(db) == 0)
    assert failures == []
    assert [each for each in complaints if "non-checked-in" in str(each.message)] == []
    session = db.session()
    assert list(await session.scalars(select(Account.name))) == []


async def test_a_block_is_what_asynccontextmanager_makes() -> None:
    seen: list[str] = []

    @block
    async def opened(name: str) -> AsyncIterator[str]:
        """Its text."""
        try:
            yield name
        except KeyError:
            seen.append("KeyError")
        finally:
            seen.append("closed")

    assert opened.__doc__ == "Its text."
    async with opened("one") as name:
        assert name == "one"
    async with opened("two"):
        raise KeyError
    with pytest.raises(ValueError, match="outside"):
        async with opened("three"):
            raise ValueError("outside")
    assert seen == ["closed", "KeyError", "closed", "closed"]
