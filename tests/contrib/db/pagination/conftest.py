"""A database with the tables of these tests, once for SQLite and once for each driver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import sql

from fastforge.contrib.db.resources import DatabaseConnection
from tests.conftest import with_driver

from .tables import Base, opened


@pytest.fixture(params=["sqlite", "asyncpg", "psycopg"])
async def db(request: pytest.FixtureRequest) -> AsyncIterator[DatabaseConnection]:
    """An open database with a pool of two connections; its tables are there and empty."""
    if request.param == "sqlite":
        async with opened(request.getfixturevalue("sqlite_url"), pool_size=2) as connection:
            yield connection
        return
    dsn = request.getfixturevalue("module_dsn")
    async with opened(with_driver(dsn, request.param), pool_size=2) as connection:
        yield connection
    tables = sql.SQL(", ").join(map(sql.Identifier, Base.metadata.tables))
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))
