"""A database with the tables of these tests, once for SQLite and once for each driver."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fastforge.contrib.db.resources import DatabaseConnection

from .tables import opened


@pytest.fixture
async def db(each_database_url: str) -> AsyncIterator[DatabaseConnection]:
    """An open database with a pool of two connections."""
    async with opened(each_database_url, pool_size=2) as connection:
        yield connection
