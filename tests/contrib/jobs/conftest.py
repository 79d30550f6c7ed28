"""The jobs table on a real database, for SQLite and for each PostgreSQL driver."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge.contrib.db import Database, Model
from fastforge.contrib.db.resources import DatabaseConnection, open_database
from fastforge.contrib.jobs import JobStore
from fastforge.contrib.jobs.statements import JOB


def create_tables(connection: sa.Connection) -> None:
    """Create what the migration of contrib.jobs creates."""
    tables = [table for name, table in Model.metadata.tables.items() if name.startswith("jobs_")]
    Model.metadata.create_all(connection, tables)


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[DatabaseConnection]:
    """An open database that has the table."""
    config = Database(url=url, **options)
    connection = await open_database(config, root=Path(), environment="test")
    async with connection.engine.begin() as own:
        await own.run_sync(create_tables)
    yield connection
    await connection.engine.dispose()


@pytest.fixture
async def db(each_database_url: str) -> AsyncIterator[DatabaseConnection]:
    """An open database with the jobs table."""
    async with opened(each_database_url) as connection:
        yield connection


@pytest.fixture
def store(db: DatabaseConnection) -> JobStore:
    """The jobs table as a backend."""
    return JobStore(db.engine)


async def rows(connection: DatabaseConnection) -> list[sa.Row[Any]]:
    """Every job, the oldest first."""
    async with connection.engine.begin() as own:
        return list((await own.execute(JOB.select().order_by(JOB.c.id))).all())
