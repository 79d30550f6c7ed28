"""Brokers in PostgreSQL, each as a process has one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import fastforge.contrib.db.postgres_channels.models  # noqa: F401 - its tables
from fastforge.channels.carrying.broker import Envelope, Kept
from fastforge.contrib.db import Database, Model
from fastforge.contrib.db.opening import open_database
from fastforge.contrib.db.postgres_channels.broker import PostgresBroker
from fastforge.contrib.db.postgres_channels.resources import config_for
from fastforge.lifecycle import Breaker


def create_tables(connection: sa.Connection) -> None:
    """Create what the migration of the app creates."""
    tables = [
        table
        for name, table in Model.metadata.tables.items()
        if name.startswith("postgres_channels_")
    ]
    Model.metadata.create_all(connection, tables)


class Process:
    """What one process has: a broker, and what has come in."""

    def __init__(self, broker: PostgresBroker, engine: Any) -> None:
        self.broker = broker
        self.engine = engine
        self.got: list[Envelope] = []
        self.missed = 0
        self.changed: list[str] = []
        broker.attach(self.got.append, self._missed, self.changed.append)

    def _missed(self) -> None:
        self.missed += 1

    @property
    def texts(self) -> list[bytes]:
        return [each.data for each in self.got]

    async def publish(self, text: bytes, room: str = "a", kept: Kept | None = None) -> int:
        return await self.broker.publish(room, text, exclude="", kept=kept)

    async def sql(self, text: str, **parameters: object) -> list[Any]:
        """Run a statement of the test's own."""
        async with self.engine.begin() as connection:
            result = await connection.execute(sa.text(text), parameters)
            return list(result.all()) if result.returns_rows else []


@asynccontextmanager
async def process(url: str, prefix: str = "shop:", **options: Any) -> AsyncIterator[Process]:
    """A process, whose database answers when it begins."""
    config = config_for(Database(url=url, **options))
    connection = await open_database(config, root=Path(), environment="production")
    breaker = Breaker("channels", opens_after=1, first_pause_s=0.05, longest_pause_s=1)
    broker = PostgresBroker(connection.engine, prefix=prefix, breaker=breaker)
    try:
        yield Process(broker, connection.engine)
    finally:
        await broker.close()
        await connection.engine.dispose()


@pytest.fixture
async def url(postgres_url: str) -> str:
    """A database that has the tables."""
    await migrated(postgres_url)
    return postgres_url


@pytest.fixture
async def each_url(each_postgres_url: str) -> str:
    """The same; the test runs once for each driver."""
    await migrated(each_postgres_url)
    return each_postgres_url


async def migrated(url: str) -> None:
    """Create the tables in a database."""
    connection = await open_database(Database(url=url), root=Path(), environment="test")
    async with connection.engine.begin() as own:
        await own.run_sync(create_tables)
    await connection.engine.dispose()
