"""A database with the tables of these tests, once for SQLite and once for each driver."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from fastforge.contrib.db.resources import DatabaseConnection
from tests.conftest import with_driver

from .tables import Base, opened

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "asyncpg", "psycopg"])
async def db(request: pytest.FixtureRequest) -> AsyncIterator[DatabaseConnection]:
    """An open database with a pool of two connections; its tables are there and empty."""
    if request.param == "sqlite":
        async with opened(request.getfixturevalue("sqlite_url"), pool_size=2) as connection:
            yield connection
    else:
        async with _emptied(request.getfixturevalue("module_dsn"), request.param) as connection:
            yield connection


@pytest.fixture(params=["asyncpg", "psycopg"])
async def postgres(
    request: pytest.FixtureRequest, module_dsn: str
) -> AsyncIterator[DatabaseConnection]:
    """The same on PostgreSQL alone."""
    async with _emptied(module_dsn, request.param) as connection:
        yield connection


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[DatabaseConnection]:
    """The same on SQLite alone."""
    async with opened(sqlite_url, pool_size=2) as connection:
        yield connection


@pytest.fixture(scope="module")
def module_dsn(postgres_server: str, postgres_admin: psycopg.Connection) -> Iterator[str]:
    """A PostgreSQL database for all tests of a module: making one takes longer than a test."""
    name = f"fastforge_module_{os.getpid()}_{next(_numbers)}"
    postgres_admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
    postgres_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def _emptied(dsn: str, driver: str) -> AsyncIterator[DatabaseConnection]:
    async with opened(with_driver(dsn, driver), pool_size=2) as connection:
        yield connection
    with psycopg.connect(dsn, autocommit=True) as admin:
        empty(admin)


def empty(admin: psycopg.Connection) -> None:
    """Empty the tables of these tests, let their numbers begin anew, and drop all other tables."""
    for (table,) in admin.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ).fetchall():
        if table not in Base.metadata.tables:
            admin.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(table)))
    for each in reversed(Base.metadata.sorted_tables):
        admin.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(each.name)))
    for (sequence,) in admin.execute(
        "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"
    ).fetchall():
        admin.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(sequence)))
