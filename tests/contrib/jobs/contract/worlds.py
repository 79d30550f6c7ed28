"""Worlds: how each backend is opened, empty, for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, cast

import pytest
import sqlalchemy as sa

from fastforge.contrib.arq import ArqBackend
from fastforge.contrib.db import Database
from fastforge.contrib.db.resources import DatabaseConnection, open_database
from fastforge.contrib.db.sessions.session import Session
from fastforge.contrib.db.transactions import DATABASE
from fastforge.contrib.jobs import JobStore, models
from fastforge.contrib.redis import Redis, open_client
from fastforge.tasks import MemoryBackend

from .world import World

__all__ = ["TABLES", "WORLDS", "opened"]

TABLES: Final = tuple(cast("sa.Table", getattr(models, name).__table__) for name in models.__all__)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[DatabaseConnection]:
    """An open database with the tables of jobs, all of them empty."""
    connection = await open_database(Database(url=url), root=Path(), environment="test")
    try:
        async with connection.engine.begin() as own:
            await own.run_sync(models.Job.metadata.create_all, tables=TABLES)
            for table in TABLES:
                await own.execute(table.delete())
        yield connection
    finally:
        await connection.engine.dispose()


@asynccontextmanager
async def in_memory(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The backend of tests, beside a database that knows nothing of jobs."""
    url: str = request.getfixturevalue("sqlite_url")

    @asynccontextmanager
    async def open_session() -> AsyncIterator[Callable[[], Session]]:
        async with opened(url) as connection:
            yield connection.session

    yield World(MemoryBackend(transaction=DATABASE.current), open_session)


@asynccontextmanager
async def on_sqlite(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The table in a file."""
    async with _in_table(request.getfixturevalue("sqlite_url")) as world:
        yield world


@asynccontextmanager
async def on_asyncpg(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The table on PostgreSQL, by asyncpg."""
    async with _in_table(request.getfixturevalue("contract_urls")["asyncpg"]) as world:
        yield world


@asynccontextmanager
async def on_psycopg(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The table on PostgreSQL, by psycopg."""
    async with _in_table(request.getfixturevalue("contract_urls")["psycopg"]) as world:
        yield world


@asynccontextmanager
async def _in_table(url: str) -> AsyncIterator[World]:
    async with opened(url) as connection:

        @asynccontextmanager
        async def open_session() -> AsyncIterator[Callable[[], Session]]:
            yield connection.session

        yield World(JobStore(connection.engine), open_session)


@asynccontextmanager
async def in_redis(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The jobs in Redis, and what is remembered of them in a file."""
    config = Redis(url=request.getfixturevalue("redis_url"), read_timeout_s=30)
    client = open_client(config, max_connections=4, retries=0)
    async with opened(request.getfixturevalue("sqlite_url")) as connection:

        @asynccontextmanager
        async def open_session() -> AsyncIterator[Callable[[], Session]]:
            yield connection.session

        backend = ArqBackend(
            client,
            connection.engine,
            listener=lambda: open_client(config, max_connections=1, retries=0),
        )
        yield World(backend, open_session)
    await client.aclose()


WORLDS: Final[dict[str, Callable[[pytest.FixtureRequest], AbstractAsyncContextManager[World]]]] = {
    "memory": in_memory,
    "sqlite": on_sqlite,
    "asyncpg": on_asyncpg,
    "psycopg": on_psycopg,
    "arq": in_redis,
}
"""A backend of one's own is added here, and has to pass every test of this folder."""
