"""Inside `pinned()` one connection does everything, and is gone afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select, text

from fastforge.contrib.db import Session
from fastforge.contrib.db.errors import (
    ConcurrentSessionUse,
    TransactionFailed,
    TransactionMisuse,
    WriteOutsideAtomic,
)
from fastforge.contrib.db.resources import DatabaseConnection

from ..tables import Account, connections_out

BACKEND = text("SELECT pg_backend_pid()")
LOCKS = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")


async def temporary(session: Session) -> int:
    async with session.atomic():
        await session.execute(text("CREATE TEMPORARY TABLE kept (number int)"))
        await session.execute(text("INSERT INTO kept VALUES (7)"))
    value: int = await session.scalar(text("SELECT number FROM kept")) or 0
    return value


async def test_a_temporary_table_lasts_to_the_end_of_the_block(db: DatabaseConnection) -> None:
    session = db.session()
    for _ in range(3):  # the table is not there when the next one makes it
        async with session.pinned() as same:
            assert same is session
            assert await temporary(session) == 7
            assert connections_out(db) == 1
        assert connections_out(db) == 0
    with pytest.raises(sa.exc.DBAPIError):
        await session.scalar(text("SELECT number FROM kept"))


async def test_a_lock_of_the_session_lasts_to_the_end_of_the_block(
    postgres: DatabaseConnection,
) -> None:
    session = postgres.session()
    async with session.pinned():
        await session.execute(text("SELECT pg_advisory_lock(7)"))
        backends = {await session.scalar(BACKEND) for _ in range(3)}
        async with session.atomic(isolation="serializable"):
            backends.add(await session.scalar(BACKEND))
            level = await session.scalar(text("SELECT current_setting('transaction_isolation')"))
            assert level == "serializable"
        assert len(backends) == 1
        assert await session.scalar(LOCKS) == 1
    async with asyncio.timeout(60):
        while await session.scalar(LOCKS):
            await asyncio.sleep(0.01)


async def test_statements_outside_atomic_are_each_for_themselves(
    postgres: DatabaseConnection,
) -> None:
    state = text("SELECT state FROM pg_stat_activity WHERE pid = :pid")
    session = postgres.session()
    async with session.pinned():
        pid = await session.scalar(BACKEND)
        async with postgres.session() as other:
            assert await other.scalar(state, {"pid": pid}) == "idle"


async def test_blocks_inside_commit_and_roll_back(db: DatabaseConnection) -> None:
    session = db.session()
    async with session.pinned():
        with pytest.raises(ZeroDivisionError):
            async with session.atomic():
                session.add(Account(name="lost"))
                await session.flush()
                _ = 1 / 0
        async with session.atomic(), session.atomic():
            session.add(Account(name="kept"))
        assert list(await session.scalars(select(Account.name))) == ["kept"]
    assert await session.scalar(select(sa.func.count(Account.id))) == 1


async def test_writing_outside_atomic_stays_refused(db: DatabaseConnection) -> None:
    session = db.session()
    async with session.pinned():
        with pytest.raises(WriteOutsideAtomic, match=r"db\.E001"):
            await session.execute(sa.insert(Account).values(name="x"))
        with pytest.raises(WriteOutsideAtomic, match=r"db\.E003"):
            await session.execute(select(Account).with_for_update())


async def test_an_exception_lets_the_connection_go(db: DatabaseConnection) -> None:
    session = db.session()
    with pytest.raises(ZeroDivisionError):
        async with session.pinned():
            await temporary(session)
            _ = 1 / 0
    assert connections_out(db) == 0
    assert await session.scalar(text("SELECT 1")) == 1


async def test_a_connection_that_is_lost_is_not_replaced_in_silence(
    postgres: DatabaseConnection,
) -> None:
    session = postgres.session()
    async with session.pinned():
        pid = await session.scalar(BACKEND)
        async with postgres.session() as other, other.atomic():
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(sa.exc.DBAPIError):
            await session.scalar(BACKEND)
        with pytest.raises(TransactionFailed, match=r"db\.E039.*its locks"):
            await session.scalar(BACKEND)
    assert connections_out(postgres) == 0
    assert await session.scalar(text("SELECT 1")) == 1


async def test_one_task_at_a_time(db: DatabaseConnection) -> None:
    session = db.session()
    async with session.pinned():
        results = await asyncio.gather(
            *(session.scalar(text("SELECT 1")) for _ in range(3)), return_exceptions=True
        )
    assert [type(each) for each in results[1:]] == [ConcurrentSessionUse] * 2
    assert connections_out(db) == 0


@pytest.mark.parametrize("around", ["atomic", "pinned"])
async def test_it_stands_around_other_blocks(db: DatabaseConnection, around: Any) -> None:
    session = db.session()
    async with getattr(session, around)():
        with pytest.raises(TransactionMisuse, match=r"db\.E012.*open `pinned` around"):
            async with session.pinned():
                pass


async def test_read_only_is_for_elsewhere(db: DatabaseConnection) -> None:
    session = db.session()
    async with session.pinned():
        with pytest.raises(TransactionMisuse, match="outside of `pinned`"):
            async with session.atomic(read_only=True):
                pass
