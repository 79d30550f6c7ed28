"""Nobody but those who stand in a block uses its transaction, on a cold pool and on a warm one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import pytest
from sqlalchemy import insert, select, text

from fastforge.contrib.db import Session
from fastforge.contrib.db.errors import ConcurrentSessionUse
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.places import entered, left, stands_in

from ..tables import Account, connections_out


async def names(db: DatabaseConnection) -> list[str]:
    async with db.session() as session:
        return list(await session.scalars(select(Account.name).order_by(Account.name)))


@pytest.fixture(params=["cold", "warm"])
async def pool(request: pytest.FixtureRequest, db: DatabaseConnection) -> DatabaseConnection:
    """A pool that has no connection yet, or both of its."""
    if request.param == "cold":
        await db.engine.dispose()
        return db
    async with db.session() as one, db.session() as two, one.atomic(), two.atomic(read_only=True):
        await asyncio.gather(one.scalar(text("SELECT 1")), two.scalar(text("SELECT 1")))
    return db


async def read(session: Session) -> None:
    await session.scalar(select(Account.name).limit(1))


async def write(session: Session) -> None:
    await session.execute(insert(Account).values(name="ghost"))


async def block(session: Session) -> None:
    async with session.atomic():
        session.add(Account(name="ghost"))


USES = [read, write, block]
Use = Callable[[Session], Awaitable[None]]


@pytest.mark.parametrize("use", [read, block])
async def test_children_of_a_gather_outside_atomic(pool: DatabaseConnection, use: Use) -> None:
    async with pool.session() as session:
        results = await asyncio.gather(*(use(session) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results[1:]] == [ConcurrentSessionUse] * 2
    assert connections_out(pool) == 0


@pytest.mark.parametrize("use", USES)
async def test_children_of_a_gather_in_atomic(pool: DatabaseConnection, use: Use) -> None:
    async with pool.session() as session:
        with pytest.raises(ConcurrentSessionUse):
            async with session.atomic():
                await asyncio.gather(*(use(session) for _ in range(3)))
    assert await names(pool) == []
    assert connections_out(pool) == 0


@pytest.mark.parametrize("use", USES)
async def test_children_of_a_gather_in_the_transaction_of_a_request(
    pool: DatabaseConnection, use: Use
) -> None:
    session = pool.session()
    session.open()
    with pytest.raises(ConcurrentSessionUse):
        await asyncio.gather(*(use(session) for _ in range(3)))
    await session.end(commit=False)
    assert await names(pool) == []
    assert connections_out(pool) == 0


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("opens", [False, True], ids=["of-a-request", "of-a-block"])
async def test_a_task_beside_a_block_is_refused_also_between_its_statements(
    pool: DatabaseConnection, use: Use, opens: bool
) -> None:
    """Without it the row would be in the block's transaction, and undone with it."""
    session = pool.session()
    if opens:
        session.open()
    stands, go_on = asyncio.Event(), asyncio.Event()

    async def stand() -> None:
        async with session.atomic():
            await session.scalar(text("SELECT 1"))
            stands.set()
            await go_on.wait()
            session.add(Account(name="kept"))

    task = asyncio.create_task(stand())
    await stands.wait()
    with pytest.raises(ConcurrentSessionUse, match=r"async with session\(\) as db"):
        await use(session)
    with pytest.raises(ConcurrentSessionUse):
        await session.flush()
    go_on.set()
    await task
    await session.end(commit=True)
    assert await names(pool) == ["kept"]


async def test_a_task_in_a_task_stands_where_it_was_started(db: DatabaseConnection) -> None:
    """`wait_for`, a task group, a thread: they run what they are given, one after the other."""
    async with db.session() as session, session.atomic():
        await asyncio.wait_for(asyncio.create_task(block(session)), 60)
        async with anyio.create_task_group() as group:
            group.start_soon(read, session)
        await anyio.to_thread.run_sync(lambda: anyio.from_thread.run(read, session))
    assert await names(db) == ["ghost"]


async def test_blocks_of_two_sessions_may_be_inside_each_other(db: DatabaseConnection) -> None:
    async with (
        db.session() as one,
        db.session() as two,
        one.atomic(),
        two.atomic(read_only=True),
    ):
        await one.scalar(text("SELECT 1"))
        await two.scalar(text("SELECT 1"))
        async with one.atomic():
            one.add(Account(name="kept"))
    assert await names(db) == ["kept"]


async def test_a_place_is_known_inside_and_forgotten_outside() -> None:
    outer = entered()
    inner = entered()
    assert stands_in(outer)
    assert stands_in(inner)
    left(outer)  # not where one stands: nothing happens
    assert stands_in(inner)
    left(inner)
    assert stands_in(outer)
    assert not stands_in(inner)
    left(outer)
    assert not stands_in(outer)
