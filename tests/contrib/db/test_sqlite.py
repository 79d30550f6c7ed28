"""SQLite under concurrent writers and readers: nothing is lost, and readers do not wait."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from fastforge.contrib.db.resources import DatabaseConnection

from .tables import Account, opened


async def test_20_writers_of_10_increments_make_200(sqlite_url: str) -> None:
    """With the library's defaults some 180 of them are lost without an error."""
    async with opened(sqlite_url, pool_size=5, pool_timeout_s=120, lock_timeout_s=120) as db:
        async with db.session().atomic() as session:
            session.add(Account(id=1, name="a"))

        async def write() -> None:
            for _ in range(10):
                session = db.session()
                account = await session.get_one(Account, 1)
                async with session.atomic():
                    account.balance += 1
                await session.end(commit=True)

        await asyncio.gather(*(write() for _ in range(20)))
        assert await db.session().scalar(sa.select(Account.balance)) == 200


async def test_readers_do_not_wait_for_a_writer(sqlite: DatabaseConnection) -> None:
    """The read returns while the write transaction is open: it would else wait for ever."""
    async with sqlite.session().atomic() as writer:
        await writer.execute(sa.insert(Account).values(name="a"))
        rows = await asyncio.wait_for(
            sqlite.session().scalar(text("SELECT count(*) FROM account")), 60
        )
        assert rows == 0


async def test_ddl_and_savepoints_roll_back(sqlite: DatabaseConnection) -> None:
    session = sqlite.session()
    with pytest.raises(ZeroDivisionError):
        async with session.atomic():
            await session.execute(text("CREATE TABLE other (id int)"))
            async with session.atomic():
                await session.execute(sa.insert(Account).values(name="a"))
            _ = 1 / 0
    tables = (await session.scalars(text("SELECT name FROM sqlite_master"))).all()
    assert "other" not in tables
    assert await session.scalar(sa.select(sa.func.count(Account.id))) == 0


async def test_foreign_keys_hold(sqlite: DatabaseConnection) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        async with sqlite.session().atomic() as session:
            await session.execute(text("INSERT INTO entry (account_id, text) VALUES (9, '')"))
    assert await sqlite.session().scalar(text("SELECT count(*) FROM entry")) == 0
