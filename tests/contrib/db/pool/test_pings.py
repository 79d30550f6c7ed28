"""A busy process is ready while its database is; an idle connection is tried, but not for ever."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from fastforge.contrib.db.errors import ServerUnreachable, TooManyConnections
from fastforge.contrib.db.opening import DatabaseConnection
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Role, check_health
from fastforge.test.proxy import Proxy
from tests.contrib.db.tables import limited, opened
from tests.folder import isolated

ONE = text("SELECT 1")
SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db"]
    DATABASES = {
        "default": Database(url=env("SHOP_URL"), pool_size=1, max_overflow=1, pool_timeout_s=60)
    }
    """


@asynccontextmanager
async def all_in_use(connection: DatabaseConnection) -> AsyncIterator[list[AsyncConnection]]:
    """Take every connection of a pool for a block."""
    pool = connection.engines.pool
    held: list[AsyncConnection] = []
    try:
        while not pool.is_exhausted:
            held.append(await connection.engine.connect())
        yield held
    finally:
        for each in held:
            await each.close()


@pytest.fixture
def without_collector() -> Iterator[None]:
    """What is lost stays lost: the garbage collector finds it in some tests, and not in others."""
    gc.disable()
    yield
    gc.enable()


async def health(url: str, path: Path, proxy: Proxy | None = None) -> str:
    """What the database of a busy process is said to be; with a proxy, one that has gone away."""
    with isolated(path) as folder:
        folder.write({"shop/settings.py": SETTINGS})
        project = folder.load({"FASTFORGE_ENV": "test", "SHOP_URL": url})
        async with project.running(Role.COMMAND) as container, all_in_use(container[database]):
            if proxy is not None:
                proxy.refuse()
            found = await check_health(container, timeout_s=30)
    return next(each.error for each in found if each.resource == "database")


async def test_a_busy_process_is_ready(each_database_url: str, tmp_path: Path) -> None:
    assert await health(each_database_url, tmp_path) == ""


async def test_a_busy_process_without_its_database_is_not(
    each_postgres_url: str, tmp_path: Path
) -> None:
    with Proxy(each_postgres_url) as proxy:
        assert await health(proxy.url, tmp_path, proxy) != ""


async def test_a_busy_process_is_ready_though_the_server_has_no_connection_left(
    each_postgres_url: str, tmp_path: Path
) -> None:
    async with limited(each_postgres_url, connections=2) as narrow:
        assert await health(narrow, tmp_path) == ""


async def test_a_server_without_a_connection_left_has_answered_whoever_has_one(
    each_postgres_url: str,
) -> None:
    """A pool that may grow finds the server full; what it has works all the same."""
    async with (
        limited(each_postgres_url, connections=1) as narrow,
        opened(narrow, pool_size=2) as db,
    ):
        async with db.engine.connect():
            await db.ping()
        await db.engine.dispose()
        async with opened(narrow, pool_size=1) as other, other.engine.connect():
            with pytest.raises(TooManyConnections):
                await db.ping()


async def test_the_connection_is_counted_nowhere_and_closed(each_database_url: str) -> None:
    async with opened(each_database_url, pool_size=1, max_overflow=0) as db:
        pool = db.engines.pool
        async with all_in_use(db) as held:
            before, held_by = pool.gauges, len(pool.holders)
            for _ in range(3):
                await db.ping()
            assert pool.gauges == before
            assert len(pool.holders) == held_by == 1
            if not db.config.is_sqlite:
                backends = text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND backend_type = 'client backend'"
                )
                while await held[0].scalar(backends) > 1:  # the server's part takes a moment
                    await held[0].rollback()
                    await asyncio.sleep(0.01)
        connects = pool.gauges.connects
        await db.ping()
        assert pool.gauges.connects == connects


async def test_a_server_that_has_gone_silent_keeps_nobody(each_postgres_url: str) -> None:
    with Proxy(each_postgres_url) as proxy:
        async with opened(proxy.url, pool_size=1, max_overflow=0, connect_timeout_s=60) as db:
            async with all_in_use(db):
                proxy.blackhole()
                asked = asyncio.create_task(db.ping())
                await asyncio.wait({asked}, timeout=0.2)
                assert not asked.done()
                asked.cancel()
                await asyncio.wait({asked}, timeout=30)
                assert asked.cancelled()
                proxy.heal()
            await db.session().scalar(ONE)


async def test_an_idle_connection_that_the_network_has_forgotten_is_replaced(
    each_postgres_url: str,
) -> None:
    with Proxy(each_postgres_url) as proxy:
        async with opened(proxy.url, pool_size=1, idle_ping_s=0, connect_timeout_s=0.3) as db:
            proxy.blackhole()
            with pytest.raises(ServerUnreachable):
                async with asyncio.timeout(60):
                    await db.session().scalar(ONE)
            gauges = db.engines.pool.gauges
            assert (gauges.checked_out, gauges.invalidations) == (0, 1)
            proxy.heal()
            assert await db.session().scalar(ONE) == 1


async def test_who_is_cancelled_while_such_a_connection_is_closed_leaves_its_place(
    each_postgres_url: str, without_collector: None
) -> None:
    with Proxy(each_postgres_url) as proxy:
        async with opened(proxy.url, pool_size=1, idle_ping_s=0) as db:
            reading = asyncio.create_task(db.session().scalar(ONE))
            event.listen(db.engines.write, "close", lambda *_: reading.cancel())
            proxy.reset()
            await asyncio.wait({reading}, timeout=60)
            assert reading.cancelled()
            assert db.engines.pool.gauges.checked_out == 0


@pytest.mark.parametrize("overflow", [0, 1])
async def test_a_pool_is_exhausted_when_the_next_one_has_to_wait(
    sqlite_url: str, overflow: int
) -> None:
    async with opened(sqlite_url, pool_size=1, max_overflow=overflow) as db:
        pool = db.engines.pool
        assert not pool.is_exhausted
        async with all_in_use(db) as held:
            assert len(held) == 1 + overflow
        assert not pool.is_exhausted
