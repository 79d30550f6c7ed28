"""The resource `arq_jobs`: the jobs in Redis, as the running process uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from ...core.services import worker_is_embedded
from ...lifecycle import Role, current_container, provide, resource, section
from ...tasks.settings import Tasks
from ..jobs.resources import job_store
from ..jobs.store import JobStore
from ..redis.client import open_client
from ..redis.library import Client
from ..redis.resources import redis_client
from ..redis.settings import Redis
from .backend import ArqBackend

__all__ = ["arq_jobs"]

BOOKKEEPING_CONNECTIONS: Final = 4
"""What a worker keeps besides the pool of its jobs: to claim, to settle, to renew, to attend."""


@resource
async def arq_jobs(
    redis: Annotated[Client, provide(redis_client)],
    store: Annotated[JobStore, provide(job_store)],
    config: Annotated[Redis, section(Redis)],
) -> AsyncIterator[ArqBackend]:
    """Give the backend, with a small pool of its own where jobs run.

    Jobs share the project's pool and may hold all of it: leases that cannot be renewed for that
    would run out, and the jobs would run twice. A command of a worker is never sent a second
    time, since a claim that is answered twice loses the jobs of the first answer. Who only
    enqueues uses the project's pool as all others do: a job that is sent twice is kept once.
    """
    container = current_container()
    client = redis
    if container.role is Role.WORKER or worker_is_embedded(container):
        client = open_client(config, max_connections=BOOKKEEPING_CONNECTIONS, retries=0)
    try:
        yield ArqBackend(
            client,
            store.engine,
            listener=lambda: open_client(config, max_connections=1, retries=0),
            clock=store.clock,
            settings=container.settings.section(Tasks),
        )
    finally:
        if client is not redis:
            await client.aclose()
