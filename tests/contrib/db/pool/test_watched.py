"""A pool that counts what happens to it, and names who holds what others wait for."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from fastforge.contrib.db.errors import PoolExhausted
from fastforge.contrib.db.opening import DatabaseConnection
from fastforge.contrib.db.pool.gauges import Durations
from fastforge.contrib.db.sessions.unit import UnitOfWork, use_unit
from fastforge.observability.context import RunningJob, request_id, running_job
from tests.contrib.db.tables import connections_out, opened

ONE = text("SELECT 1")


@pytest.fixture
async def narrow(each_database_url: str) -> AsyncIterator[DatabaseConnection]:
    """A database with one connection, for which nobody waits for long."""
    async with opened(
        each_database_url, pool_size=1, max_overflow=0, pool_timeout_s=0.05
    ) as connection:
        yield connection


async def exhausted(db: DatabaseConnection) -> str:
    """What somebody is told who gets no connection."""
    with pytest.raises(PoolExhausted) as raised:
        await db.session().scalar(ONE)
    return str(raised.value)


async def test_a_request_that_holds_a_connection_is_named(narrow: DatabaseConnection) -> None:
    scope = {"type": "http", "method": "GET", "path": "/orders/7", "endpoint": exhausted}
    token = request_id.set("r-1")
    unit = UnitOfWork(lambda name: narrow.session(), scope)
    async with use_unit(unit), unit.session.atomic():
        await unit.session.scalar(ONE)
        message = await exhausted(narrow)
    request_id.reset(token)
    assert re.search(
        r"db\.E007\] no connection was free within 0\.05 s: 1 of 1 are held by"
        r" GET /orders/7, request r-1 \(\d+\.\d s, in atomic\);",
        message,
    )


async def test_a_job_that_holds_a_connection_is_named(narrow: DatabaseConnection) -> None:
    token = running_job.set(RunningJob("shop.tasks.bill", "j-1"))
    unit = UnitOfWork(lambda name: narrow.session())
    async with use_unit(unit), unit.session.streaming(ONE):
        message = await exhausted(narrow)
    running_job.reset(token)
    assert "held by job j-1 of shop.tasks.bill (0." in message
    assert "in a stream)" in message


async def test_whoever_is_in_no_session_is_named_as_such(narrow: DatabaseConnection) -> None:
    async with narrow.engine.connect() as connection:
        await connection.execute(ONE)
        message = await exhausted(narrow)
    assert "held by no request or job (0." in message
    assert "outside of a session)" in message


async def test_of_many_the_longest_are_named(each_database_url: str) -> None:
    async with opened(each_database_url, pool_size=7, max_overflow=0, pool_timeout_s=0.05) as db:
        held = [await db.engine.connect() for _ in range(7)]
        message = await exhausted(db)
        for connection in held:
            await connection.close()
    assert message.count("no request or job") == 5
    assert "; and 2 more; shorten" in message


async def test_a_holder_is_forgotten_with_its_connection(db: DatabaseConnection) -> None:
    session = db.session()
    for _ in range(3):
        await session.scalar(ONE)
    async with session.atomic():
        await session.scalar(ONE)
        assert len(db.engines.pool.holders) == 1
    assert not db.engines.pool.holders


async def test_the_gauges_tell_what_has_happened(narrow: DatabaseConnection) -> None:
    before = narrow.engines.pool.gauges
    assert (before.size, before.max_overflow, before.checked_out) == (1, 0, 0)
    await narrow.session().scalar(ONE)
    async with narrow.engine.connect() as connection:
        assert narrow.engines.pool.gauges.checked_out == 1
        await exhausted(narrow)
        await connection.invalidate()
    after = narrow.engines.pool.gauges
    assert after.checked_out == after.waiting == after.overflow == 0
    assert (after.timeouts, after.invalidations) == (1, 1)
    assert (after.connects, before.connects) == (1, 1)
    assert after.waits.count == 1
    assert after.waits.max_s == after.waits.sum_s >= 0.05
    assert after.uses.count == before.uses.count + 2
    assert after.uses.sum_s > before.uses.sum_s


async def test_whoever_waits_is_counted(each_database_url: str) -> None:
    async with opened(each_database_url, pool_size=1, max_overflow=0, pool_timeout_s=30) as db:
        pool = db.engines.pool
        async with db.engine.connect():
            waiting = [asyncio.create_task(db.session().scalar(ONE)) for _ in range(3)]
            while pool.gauges.waiting < 3:
                await asyncio.sleep(0.001)
            waiting[0].cancel()
            await asyncio.wait({waiting[0]})
            assert pool.gauges.waiting == 2
            assert pool.gauges.waits.count == 1
        assert await asyncio.gather(*waiting[1:]) == [1, 1]
        assert pool.gauges.waiting == 0
        assert pool.gauges.waits.count == 3


async def test_an_overflow_is_told_and_goes(each_database_url: str) -> None:
    async with opened(each_database_url, pool_size=1, max_overflow=1) as db:
        async with db.engine.connect(), db.engine.connect():
            assert db.engines.pool.gauges.overflow == 1
        assert db.engines.pool.gauges.overflow == 0
        assert db.engines.pool.gauges.waits == Durations()


async def test_its_log_is_that_of_any_pool(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="sqlalchemy.pool"):
        async with opened(sqlite_url):
            pass
    names = {record.name for record in caplog.records if "Pool disposed" in record.message}
    assert names == {"sqlalchemy.pool.impl.AsyncAdaptedQueuePool"}


async def test_an_emptied_pool_goes_on_counting(db: DatabaseConnection) -> None:
    connects = db.engines.pool.gauges.connects
    await db.engine.dispose()
    await db.session().scalar(ONE)
    assert db.engines.pool.gauges.connects == connects + 1


@pytest.mark.filterwarnings("ignore:The garbage collector")
async def test_a_connection_that_was_lost_has_no_holder_any_more(postgres_url: str) -> None:
    async with opened(postgres_url) as db:
        connection = await db.engine.connect()
        await connection.execute(ONE)
        del connection
        gc.collect()
        assert connections_out(db) == 0
        assert db.engines.pool.held_by == ""
