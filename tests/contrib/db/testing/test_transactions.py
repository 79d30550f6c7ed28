"""One transaction: what the application commits is there for the test, and nowhere afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from fastforge.contrib.db import atomic
from fastforge.contrib.db.errors import WriteOutsideAtomic
from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.contrib.db.testing.errors import IsolationError
from fastforge.test.proxy import Proxy
from tests.contrib.db.tables import Account, Entry

from .conftest import OneTest

SLOW = "SELECT pg_sleep(30)"


async def test_what_is_committed_is_seen_and_gone_at_the_end(one: OneTest) -> None:
    await one.add("a")
    await one.add("b")
    assert await one.names() == ["a", "b"]
    await one.transaction.end()
    assert await one.names() == []
    await one.add("c")
    assert await one.names() == ["c"]


async def test_a_rollback_undoes_its_own_unit_alone(one: OneTest) -> None:
    await one.add("kept")
    session = one.db.session()
    with pytest.raises(ValueError, match="no"):
        async with session.atomic():
            session.add(Account(name="undone"))
            await session.flush()
            raise ValueError("no")
    assert await one.names() == ["kept"]


async def test_a_failed_statement_spoils_its_own_unit_alone(one: OneTest) -> None:
    await one.add("kept")
    with pytest.raises(exc.IntegrityError):
        await one.add("kept")
    session = one.db.session()
    with pytest.raises(exc.DBAPIError):
        await session.execute(sa.text("SELECT nothing FROM nowhere"))
    await session.close()
    await one.add("more")
    assert await one.names() == ["kept", "more"]


async def test_savepoints_commit_and_streams_do_what_they_do(one: OneTest) -> None:
    db = one.db.session()
    async with db.atomic():
        db.add(Account(name="first"))
        await db.commit()
        with pytest.raises(ValueError, match="inner"):
            async with db.atomic():
                db.add(Account(name="inner"))
                await db.flush()
                raise ValueError("inner")
        db.add(Account(name="second"))
        await db.rollback()
        db.add(Account(name="third"))
    async with db.streaming(sa.select(Account.name).order_by(Account.name)) as names:
        assert [name async for name in names.scalars()] == ["first", "third"]
    await db.close()
    await one.add("after a stream")
    assert len(await one.names()) == 3


async def test_callbacks_run_when_the_outermost_block_ends(one: OneTest) -> None:
    seen: list[Any] = []
    db = one.db.session()
    async with db.atomic():
        db.on_commit(lambda: seen.append("outer"))

        async def look() -> None:
            seen.append(await one.names())

        db.on_commit(look)
        async with db.atomic():
            db.add(Account(name="a"))
            db.on_commit(lambda: seen.append("inner"))
        assert seen == []
    assert seen == ["outer", ["a"], "inner"]
    await db.close()


async def test_what_only_a_commit_checks_is_checked(one: OneTest) -> None:
    session = one.db.session()
    with pytest.raises(exc.IntegrityError):
        async with session.atomic():
            session.add(Entry(account_id=77))
    await session.close()
    await one.add("a")
    session = one.db.session()
    async with session.atomic():  # the entry first: at the end it is right
        await session.execute(sa.insert(Entry).values(account_id=78, text=""))
        await session.execute(sa.insert(Account).values(id=78, name="later"))
    async with session.atomic():
        with pytest.raises(exc.IntegrityError):
            async with session.atomic():
                await session.execute(sa.insert(Account).values(id=78, name="again"))
    await session.close()
    assert await one.names() == ["a", "later"]


# --- who else uses the engine --------------------------------------------------------------------


async def test_connections_of_the_engine_are_inside_too(one: OneTest) -> None:
    insert = sa.insert(Account)
    async with one.db.engine.begin() as connection:
        await connection.execute(insert.values(name="raw"))
    async with one.db.engine.connect() as connection:
        await connection.execute(insert.values(name="not committed"))
    assert await one.names() == ["raw"]
    await one.transaction.end()
    assert await one.names() == []


async def test_in_autocommit_each_statement_stands_for_itself(on_postgres: OneTest) -> None:
    insert = sa.insert(Account)
    async with on_postgres.db.engine.connect() as raw:
        connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(insert.values(name="a"))
        with pytest.raises(exc.IntegrityError):
            await connection.execute(insert.values(name="a"))
        await connection.execute(insert.values(name="b"))
        with pytest.raises(exc.IntegrityError):
            await connection.execute(insert.values(name="b"))
    assert await on_postgres.names() == ["a", "b"]
    await on_postgres.transaction.end()
    assert await on_postgres.names() == []


async def test_a_transaction_that_reads_writes_nothing_and_the_next_may(one: OneTest) -> None:
    db = one.db.session()
    with pytest.raises(WriteOutsideAtomic):
        async with db.atomic(read_only=True):
            await db.execute(sa.insert(Account).values(name="a"))
    async with db.atomic(isolation="serializable"):
        db.add(Account(name="b"))
    await db.close()
    assert await one.names() == ["b"]


async def test_a_retried_function_runs_again_in_a_new_unit(on_postgres: OneTest) -> None:
    attempts: list[str] = []

    @atomic(retries=2)
    async def transfer() -> None:
        async with atomic() as db:
            attempts.append("once")
            db.add(Account(name=f"attempt {len(attempts)}"))
            await db.flush()
            if len(attempts) == 1:
                await db.execute(
                    sa.text("DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40001'; END $$")
                )

    async with use_unit(UnitOfWork(lambda _name: on_postgres.db.session())):
        await transfer()
    assert await on_postgres.names() == ["attempt 2"]


async def test_a_pinned_connection_is_a_turn_and_leaves_nothing(on_postgres: OneTest) -> None:
    await on_postgres.add("kept")
    locks = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    db = on_postgres.db.session()
    for _ in range(2):
        async with db.pinned():
            await db.execute(sa.text("SELECT pg_advisory_lock(7)"))
            async with db.atomic():
                await db.execute(sa.text("CREATE TEMPORARY TABLE scratch (number int)"))
                await db.execute(sa.text("INSERT INTO scratch VALUES (3)"))
            assert await db.scalar(sa.text("SELECT number FROM scratch")) == 3
            with pytest.raises(IsolationError, match=r"db.E090"):
                await on_postgres.names()
        assert await db.scalar(locks) == 0
    await db.close()
    assert await on_postgres.names() == ["kept"]


# --- turns ---------------------------------------------------------------------------------------


async def test_units_that_run_at_once_take_turns(one: OneTest) -> None:
    async def unit(number: int) -> int:
        db = one.db.session()
        async with db.atomic():
            db.add(Account(name=f"{number}"))
            await db.flush()
            await asyncio.sleep(0.001)
            count = await db.scalar(sa.select(sa.func.count()).select_from(Account))
        await db.close()
        assert count is not None
        return count

    assert sorted(await asyncio.gather(*map(unit, range(5)))) == [1, 2, 3, 4, 5]


async def test_a_task_that_waits_for_itself_is_told_at_once(one: OneTest) -> None:
    db = one.db.session()
    async with db.atomic():
        db.add(Account(name="a"))
        await db.flush()
        with pytest.raises(IsolationError, match=r"\[db.E090\].*transaction=True"):
            await one.names()
        with pytest.raises(IsolationError, match=r"db.E090"):
            async with one.db.engine.begin():
                raise AssertionError
    await db.close()
    assert await one.names() == ["a"]


async def test_a_task_that_waits_for_its_parent_is_told_in_time(one: OneTest) -> None:
    db = one.db.session()
    async with db.atomic():
        db.add(Account(name="a"))
        await db.flush()
        with pytest.raises(IsolationError, match=r"\[db.E091\].*transaction=True"):
            await asyncio.create_task(one.names())
    await db.close()
    assert await one.names() == ["a"]


# --- what it costs, and what ends it -------------------------------------------------------------


async def test_it_costs_as_many_round_trips_as_transactions_do(
    counted: tuple[OneTest, Proxy],
) -> None:
    one, proxy = counted
    statement = sa.text("SELECT 1")

    async def cost(units: int, reads: int = 0) -> int:
        before = proxy.round_trips
        for _ in range(units):
            db = one.db.session()
            async with db.atomic():
                await db.execute(statement)
            await db.close()
        for _ in range(reads):
            db = one.db.session()
            await db.execute(statement)
            await db.close()
        await one.transaction.end()
        return proxy.round_trips - before

    await cost(6, 6)  # connects, and prepares the statement when it comes often enough
    assert await cost(1) == 4  # BEGIN and SAVEPOINT, the statement, RELEASE, ROLLBACK
    assert await cost(2) == 7
    assert await cost(1, 1) == 7
    assert await cost(0) == 0
    assert proxy.connections <= 3


async def test_a_lost_connection_is_told_and_the_next_test_has_another(
    on_postgres: OneTest,
) -> None:
    await on_postgres.add("a")
    db = on_postgres.db.session()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await db.execute(sa.text(SLOW))
    with pytest.raises(IsolationError, match=r"\[db.E093\].*transaction=True"):
        await on_postgres.names()
    await on_postgres.transaction.end()
    assert await on_postgres.names() == []


async def test_a_block_that_a_test_leaves_open_does_not_reach_the_next(one: OneTest) -> None:
    db = one.db.session()
    block = db.atomic()
    await block.__aenter__()
    db.add(Account(name="left open"))
    await db.flush()
    await one.transaction.end()
    assert await one.names() == []
    with pytest.raises(IsolationError, match="db.E093"):
        await block.__aexit__(None, None, None)
    assert await one.names() == []


async def test_what_a_test_has_left_open_is_no_trouble_of_the_next(one: OneTest) -> None:
    """Neither its locks nor that it only read; nobody closes what it has opened."""
    await one.add("lost")
    left = one.db.session().streaming(sa.select(Account.name))
    await left.__aenter__()
    await one.transaction.end()
    await one.add("next")
    assert await one.names() == ["next"]
