"""No cancellation, wherever it comes, loses a connection to the pool."""

from __future__ import annotations

import asyncio
import gc
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import psycopg
import pytest
from psycopg import waiting
from sqlalchemy import text

from fastforge.contrib.db.opening import DatabaseConnection
from fastforge.contrib.db.pool.hurried import HurriedConnection
from tests.conftest import with_driver
from tests.contrib.db.tables import connections_out, opened

ONE = text("SELECT 1")
Work = Callable[[DatabaseConnection], Awaitable[object]]


@types.coroutine
def cancelled_at(work: Coroutine[Any, Any, Any], turn: int) -> Generator[Any, Any, int]:
    """Run something whose task is cancelled when it waits for the so-manieth time."""
    task = asyncio.current_task()
    assert task is not None
    turns, value, error = 0, None, None
    while True:
        try:
            waits = work.throw(error) if error else work.send(value)
        except StopIteration:
            return turns
        value = error = None
        turns += 1
        if turns == turn:
            asyncio.get_running_loop().call_soon(task.cancel)
        try:
            value = yield waits
        except BaseException as raised:
            error = raised


async def read(db: DatabaseConnection) -> None:
    await db.session().scalar(ONE)


async def write(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        await session.scalar(ONE)


async def look(db: DatabaseConnection) -> None:
    async with db.engines.engine.connect() as connection:
        read_only = await connection.execution_options(postgresql_readonly=True)
        await read_only.execute(ONE)


@pytest.mark.parametrize(("work", "is_new"), [(read, True), (look, False), (write, False)])
async def test_a_cancellation_anywhere_gives_the_connection_back(
    each_postgres_url: str, work: Work, is_new: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # psycopg gives the event loop a turn only when it has not done so for a while: here always.
    monkeypatch.setattr(waiting, "MAX_BUSY_TIME", -1)
    # Without the question whether there is TLS: asyncpg leaves the answer to a cancelled one.
    async with opened(each_postgres_url, pool_size=1, ssl="disable") as db:
        for turn in range(1, 60):
            if is_new:
                await db.engine.dispose()
            else:
                await read(db)
            task = asyncio.create_task(run(cancelled_at(work(db), turn)))  # type: ignore[arg-type]
            await asyncio.wait({task})
            assert connections_out(db) == 0, f"cancelled at turn {turn}"
            if not task.cancelled() and task.result() < turn:
                break
            del task
            gc.collect()  # psycopg leaves half a connection to whoever collects the error
        else:
            pytest.fail("it never came to its end")
        assert await db.session().scalar(ONE) == 1


async def run(work: Awaitable[int]) -> int:
    return await work


async def test_options_of_psycopg_are_set_without_a_turn_of_the_event_loop(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MAX_BUSY_TIME", -1)
    async with await HurriedConnection.connect(postgres_dsn) as connection:
        for setting in (
            connection.set_autocommit(True),
            connection.set_autocommit(False),
            connection.set_isolation_level(psycopg.IsolationLevel.SERIALIZABLE),
            connection.set_read_only(True),
            connection.set_deferrable(True),
        ):
            with pytest.raises(StopIteration):
                setting.send(None)
        assert connection.isolation_level is psycopg.IsolationLevel.SERIALIZABLE
        assert connection.read_only and connection.deferrable and not connection.autocommit


async def test_an_option_still_waits_where_it_has_to(postgres_dsn: str) -> None:
    """Somebody else's statement is under way: the option comes after it."""
    async with await HurriedConnection.connect(postgres_dsn, autocommit=True) as connection:
        slow = asyncio.create_task(connection.execute("SELECT pg_sleep(0.05)"))
        await asyncio.sleep(0)
        await connection.set_autocommit(False)
        assert slow.done() or connection.autocommit is False
        await slow


async def test_an_option_that_waits_is_cancelled_like_anything(postgres_dsn: str) -> None:
    async with await HurriedConnection.connect(postgres_dsn, autocommit=True) as connection:
        slow = asyncio.create_task(connection.execute("SELECT pg_sleep(0.2)"))
        await asyncio.sleep(0)
        setting = asyncio.create_task(connection.set_autocommit(False))
        await asyncio.sleep(0)
        setting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await setting
        await slow
        assert connection.autocommit


async def test_the_engine_uses_it(postgres_dsn: str) -> None:
    async with (
        opened(with_driver(postgres_dsn, "psycopg")) as db,
        db.engine.connect() as connection,
    ):
        raw = await connection.get_raw_connection()
        assert isinstance(raw.driver_connection, HurriedConnection)
