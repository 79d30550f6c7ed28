"""A world of its own for each test, and one whose clock may be moved."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fastforge.contrib.db.sessions import callbacks

from .world import ArqWorld, opened_arq


@pytest.fixture(autouse=True)
def patient_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a second is not enough to bring a job to Redis; a worker would do it later.

    Most tests here have no worker that would, and look into Redis after the commit.
    """
    monkeypatch.setattr(callbacks, "CALLBACKS_LIMIT_S", 60.0)


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
