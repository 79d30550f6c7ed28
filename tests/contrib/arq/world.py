"""The arq backend on a real Redis and a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastforge.contrib.arq import ArqBackend
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.redis import Redis, open_client
from fastforge.contrib.redis.library import Client
from fastforge.tasks.clock import Clock
from fastforge.tasks.settings import Tasks
from tests.contrib.jobs.conftest import opened
from tests.processes import wait_until_async


@dataclass(frozen=True)
class ArqWorld:
    """The backend, and the servers behind it."""

    backend: ArqBackend
    client: Client
    db: DatabaseConnection


@asynccontextmanager
async def opened_arq(
    redis_url: str, database_url: str, *, clock: Clock | None = None, settings: Tasks | None = None
) -> AsyncIterator[ArqWorld]:
    """A running backend whose database has the tables of jobs."""
    config = Redis(url=redis_url, read_timeout_s=30)
    client = open_client(config, max_connections=4, retries=0)
    async with opened(database_url) as db:
        backend = ArqBackend(
            client,
            db.engine,
            listener=lambda: open_client(config, max_connections=1, retries=0),
            clock=clock,
            settings=settings,
        )
        yield ArqWorld(backend, client, db)
    await client.aclose()


async def all_due(world: ArqWorld) -> None:
    """Wait until every job of the queue `default` is due by the server's clock, as claims go."""
    last = await world.client.zrange("arq:queue", -1, -1, withscores=True)

    async def have_come() -> bool:
        seconds, microseconds = await world.client.time()
        return all(seconds * 1000 + microseconds / 1000 >= due_ms for _, due_ms in last)

    assert last
    await wait_until_async(have_come)
