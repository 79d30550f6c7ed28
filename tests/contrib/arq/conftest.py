"""A world of its own for each test, and one whose clock may be moved."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .world import ArqWorld, opened_arq


@pytest.fixture
async def world(redis_url: str, sqlite_url: str) -> AsyncIterator[ArqWorld]:
    """The backend on Redis and SQLite."""
    async with opened_arq(redis_url, sqlite_url) as world:
        yield world


@pytest.fixture
async def each_world(redis_url: str, each_database_url: str) -> AsyncIterator[ArqWorld]:
    """The backend on Redis and each database."""
    async with opened_arq(redis_url, each_database_url) as world:
        yield world
