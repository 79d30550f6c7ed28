"""What a handler does wrong stays its own: it loses no row of its own silently, and no other's."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, insert, select, text

from fastforge.contrib.db import Session
from fastforge.contrib.db.errors import ConcurrentSessionUse, TransactionMisuse
from fastforge.contrib.db.resources import DatabaseConnection

from ..tables import Account, connections_out

SLOW = {
    "sqlite": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200000000)"
    " SELECT count(*) FROM c",
    "postgresql": "SELECT pg_sleep(60)",
}


async def names(db: DatabaseConnection) -> list[str]:
    session = db.session()
    found = list(await session.scalars(select(Account.name).order_by(Account.name)))
    await session.close()
    return found


async def add(db: DatabaseConnection, name: str) -> None:
    session = db.session()
    async with session.atomic():
        session.add(Account(name=name))
    await session.close()


async def test_a_statement_that_is_cancelled_in_a_transaction_gives_its_locks_back(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    with pytest.raises(TimeoutError):
        async with session.atomic():
            session.add(Account(name="cancelled"))
            await session.flush()
            async with asyncio.timeout(0.05):
                await session.execute(text(SLOW[db.engine.dialect.name]))
    kept = [session]  # a reference to what was cancelled must not keep the lock either
    await add(db, "after")
    assert await names(db) == ["after"]
    await kept[0].close()
    assert connections_out(db) == 0


async def test_statements_side_by_side_poison_no_connection(db: DatabaseConnection) -> None:
    for _ in range(5):
        session = db.session()
        with pytest.raises(ConcurrentSessionUse):
            async with session.atomic():
                await asyncio.gather(
                    session.execute(insert(Account).values(name="ghost")),
                    session.execute(select(func.count()).select_from(Account)),
                )
        await session.close()
    await add(db, "innocent")
    assert await names(db) == ["innocent"]
    assert connections_out(db) == 0


async def test_a_second_task_cannot_write_into_the_transaction_of_the_first(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with session.atomic():
            entered.set()
            await go_on.wait()
            raise ValueError("the first fails")

    task = asyncio.create_task(first())
    await entered.wait()
    with pytest.raises(ConcurrentSessionUse):
        async with session.atomic():
            raise AssertionError("it must not be entered")
    go_on.set()
    with pytest.raises(ValueError, match="the first fails"):
        await task
    await session.close()


async def test_a_callback_of_on_commit_may_write(db: DatabaseConnection) -> None:
    session = db.session()

    async def write() -> None:
        async with session.atomic():
            session.add(Account(name="by the callback"))

    async with session.atomic():
        session.add(Account(name="first"))
        session.on_commit(write)
    assert await names(db) == ["by the callback", "first"]
    assert connections_out(db) == 0
    await session.close()


async def test_closing_a_session_inside_its_transaction_is_no_silent_rollback(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    with pytest.raises(TransactionMisuse, match="close\\(\\) inside a transaction"):
        async with session.atomic():
            session.add(Account(name="lost"))
            await session.close()
    called: list[str] = []
    async with session.atomic():
        session.on_commit(lambda: called.append("kept"))
        with pytest.raises(TransactionMisuse):
            await session.close()
    assert called == ["kept"]
    await session.close()
    assert await names(db) == []


async def test_the_half_of_another_tasks_block_is_not_committed(db: DatabaseConnection) -> None:
    """Neither by the block around it nor by the end of the request that it was left behind by."""
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def child(session: Session) -> None:
        async with session.atomic():
            session.add(Account(name="half"))
            await session.flush()
            inside.set()
            await go_on.wait()

    async def leave_behind(session: Session) -> asyncio.Task[None]:
        inside.clear()
        task = asyncio.create_task(child(session))
        await inside.wait()
        return task

    session = db.session()
    with pytest.raises(ConcurrentSessionUse, match="left behind is in the middle of a block"):
        async with session.atomic():
            in_block = await leave_behind(session)
    request = db.session()
    request.open()
    in_request = await leave_behind(request)
    with pytest.raises(ConcurrentSessionUse, match="left behind is in the middle of a block"):
        await request.end(commit=True)
    assert await names(db) == []
    go_on.set()
    await asyncio.gather(in_block, in_request, return_exceptions=True)
    await session.close()
    assert await names(db) == []
    assert connections_out(db) == 0
