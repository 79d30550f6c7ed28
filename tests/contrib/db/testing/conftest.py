"""A database with the tables of these tests, in one transaction that nobody commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.testing.sessions import SessionInTest
from fastforge.contrib.db.testing.transactions import OneTransaction
from fastforge.test.proxy import Proxy
from tests.contrib.db.tables import Account, opened


@dataclass
class OneTest:
    """What a test of a project has, and what it leaves."""

    db: DatabaseConnection
    transaction: OneTransaction

    async def names(self) -> list[str]:
        """The accounts, read as a request reads."""
        session = self.db.session()
        found = list(await session.scalars(sa.select(Account.name).order_by(Account.name)))
        await session.close()
        return found

    async def add(self, name: str) -> None:
        """Commit one more, as a request does."""
        session = self.db.session()
        async with session.atomic():
            session.add(Account(name=name))
        await session.close()


@asynccontextmanager
async def begun(
    url: str, *, checks_deferred: bool = True, **options: Any
) -> AsyncIterator[OneTest]:
    async with opened(url, pool_size=1, **options) as db:
        await db.engine.dispose()
        one = OneTest(
            replace(db, session_class=SessionInTest),
            OneTransaction(db.engine, checks_deferred=checks_deferred),
        )
        try:
            yield one
        finally:
            await one.transaction.end()


@pytest.fixture
async def one(each_database_url: str) -> AsyncIterator[OneTest]:
    """A test on SQLite, and on PostgreSQL with each driver."""
    async with begun(each_database_url, pool_timeout_s=0.5) as one:
        yield one


@pytest.fixture
async def on_postgres(each_postgres_url: str) -> AsyncIterator[OneTest]:
    """A test on PostgreSQL alone."""
    async with begun(each_postgres_url, pool_timeout_s=0.5) as one:
        yield one


@pytest.fixture
async def counted(each_postgres_url: str) -> AsyncIterator[tuple[OneTest, Proxy]]:
    """A test behind a proxy that counts."""
    with Proxy(each_postgres_url) as proxy:
        async with begun(proxy.url, checks_deferred=False) as one:
            yield one, proxy
