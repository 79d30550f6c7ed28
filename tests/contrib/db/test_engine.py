"""What goes over the wire, and what the server and the file are told at the connection."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from fastforge.contrib.db import Database
from fastforge.contrib.db.engine import Application, make_engines, target_of
from fastforge.contrib.db.resources import DatabaseConnection, open_database
from fastforge.exceptions import MissingExtraError
from fastforge.test.proxy import Proxy

from .tables import Account, opened


@pytest.fixture
def proxy(each_postgres_url: str) -> Iterator[Proxy]:
    """The network in front of a fresh database, once for each driver."""
    with Proxy(each_postgres_url) as proxy:
        yield proxy


async def test_a_read_is_one_round_trip_and_a_write_two_more(proxy: Proxy) -> None:
    async with opened(proxy.url, pool_size=1) as db:

        async def reads(count: int) -> None:
            session = db.session()
            for number in range(count):
                await session.get(Account, number)
            await session.end(commit=True)

        async def write() -> None:
            session = db.session()
            session.open()
            await session.execute(sa.insert(Account).values(name=f"n{proxy.round_trips}"))
            await session.end(commit=True)

        async def nothing() -> None:
            session = db.session()
            session.open()
            await session.end(commit=True)

        async def count(work: Any) -> int:
            before = proxy.round_trips
            await work
            return proxy.round_trips - before

        for _ in range(7):  # statements are prepared after some uses
            await reads(1)
            await write()
        assert await count(reads(1)) == 1
        assert await count(reads(3)) == 3
        assert await count(write()) == 3
        assert await count(nothing()) == 0
        assert proxy.connections == 1


async def test_the_server_keeps_the_limits_of_the_settings(each_postgres_url: str) -> None:
    limits = {
        "statement_timeout_s": 11,
        "lock_timeout_s": 2.5,
        "idle_in_transaction_timeout_s": 33,
        "client_check_interval_s": 4,
    }
    async with opened(each_postgres_url, **limits) as db:
        session = db.session()
        told = [
            await session.scalar(text(f"SHOW {name}"))
            for name in (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "client_connection_check_interval",
            )
        ]
    assert told == ["11s", "2500ms", "33s", "4s"]


async def test_a_statement_that_runs_for_too_long_is_ended(each_postgres_url: str) -> None:
    async with opened(each_postgres_url, statement_timeout_s=0.05) as db:
        with pytest.raises(sa.exc.DBAPIError, match="statement timeout"):
            await db.session().execute(text("SELECT pg_sleep(60)"))
        assert await db.session().scalar(text("SELECT 1")) == 1


async def test_a_server_that_refuses_the_client_check_is_used_without_it(
    each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An interval beyond the server's range is refused as an unknown setting of an old one is."""
    config = Database(url=each_postgres_url).model_copy(update={"client_check_interval_s": 3e6})
    db = await open_database(config, root=Path.cwd(), environment="test")
    assert await db.session().scalar(text("SHOW client_connection_check_interval")) == "0"
    await db.engine.dispose()
    assert "client_connection_check_interval" in caplog.text


async def test_a_connection_that_died_while_idle_is_replaced_unnoticed(proxy: Proxy) -> None:
    async with opened(proxy.url, pool_size=1, max_overflow=0, idle_ping_s=0) as db:
        assert await db.session().scalar(text("SELECT 1")) == 1
        proxy.reset()
        assert await db.session().scalar(text("SELECT 2")) == 2
        assert proxy.connections == 2


async def test_a_connection_in_use_costs_no_ping(proxy: Proxy) -> None:
    async with opened(proxy.url, pool_size=1) as db:
        await db.session().scalar(text("SELECT 1"))
        before = proxy.round_trips
        await db.session().scalar(text("SELECT 1"))
        assert proxy.round_trips - before <= 2  # the second use may prepare the statement


async def test_the_engine_itself_begins_transactions(db: DatabaseConnection) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.engine.begin() as connection:
            await connection.execute(sa.insert(Account).values(name="lost"))
            _ = 1 / 0
    assert await db.session().scalar(sa.select(sa.func.count(Account.id))) == 0


async def test_sqlite_is_told_what_makes_it_safe(sqlite_url: str) -> None:
    async with opened(sqlite_url, lock_timeout_s=7) as db:
        session = db.session()
        told = {
            name: await session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert told == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "busy_timeout": 7000,
    }


async def test_a_relative_file_is_relative_to_the_root(tmp_path: Path) -> None:
    config = Database(url="sqlite+aiosqlite:///data.sqlite3")
    connection = await open_database(config, root=tmp_path, environment="test")
    await connection.engine.dispose()
    assert (tmp_path / "data.sqlite3").exists()


@pytest.mark.parametrize(
    ("environment", "configured", "overflow"),
    [("development", None, 5), ("production", None, 0), ("development", 2, 2)],
)
def test_the_pool_may_overflow_in_development_alone(
    tmp_path: Path, environment: str, configured: int | None, overflow: int
) -> None:
    config = Database(url="sqlite+aiosqlite:///x.sqlite3", pool_size=3, max_overflow=configured)
    engines = make_engines(config, root=tmp_path, application=Application(environment=environment))
    pool: Any = engines.write.pool
    assert (pool.size(), pool._max_overflow) == (3, overflow)


@pytest.mark.parametrize(
    ("url", "package", "cure"),
    [
        ("postgresql+asyncpg://u:secret@h/n", "asyncpg", '"fastforge-framework[postgres]"'),
        ("sqlite+aiosqlite:///x", "aiosqlite", "--force-reinstall fastforge-framework"),
    ],
)
def test_a_missing_driver_is_told_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, package: str, cure: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    config = Database(url=url)
    with pytest.raises(MissingExtraError) as raised:
        make_engines(config, root=tmp_path, application=Application())
    assert f"pip install {cure}" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_target_has_no_password() -> None:
    assert target_of(Database(url="postgresql+asyncpg://u:secret@host:1/name")) == "host:1/name"
    assert target_of(Database(url="postgresql+psycopg://u:secret@host/name")) == "host:5432/name"
    assert target_of(Database(url="sqlite+aiosqlite:///x.sqlite3")) == "x.sqlite3"


async def test_options_of_the_url_hold_beside_our_limits(postgres_psycopg_url: str) -> None:
    url = f"{postgres_psycopg_url}?options=-c%20search_path%3Dshop"
    async with opened_plainly(url) as connection:
        session = connection.session()
        assert await session.scalar(text("SHOW search_path")) == "shop"
        assert await session.scalar(text("SHOW lock_timeout")) == "5s"
        await session.close()


@asynccontextmanager
async def opened_plainly(url: str) -> AsyncIterator[DatabaseConnection]:
    """Open a database without making tables."""
    connection = await open_database(Database(url=url), root=Path.cwd(), environment="test")
    yield connection
    await connection.engine.dispose()
