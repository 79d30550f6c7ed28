"""Checks of whether the Redis server keeps what it is given; they run with `--redis` alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from ...tasks.settings import Tasks

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["redis_keeps_jobs"]


@check(connects="redis", tags={"redis", "tasks"})
async def redis_keeps_jobs(project: Project) -> AsyncIterator[Message]:
    """Find a server that deletes jobs when its memory is full, or forgets them when it ends."""
    from ..redis.inspecting import inspect_redis

    server = (await inspect_redis(project)).server
    if server is None or project.settings.section(Tasks).backend != "arq":
        return
    where = project.settings.where("REDIS")
    if server.eviction:
        yield Message(
            id="arq.W001",
            level=Level.WARNING,
            text=f"Redis has maxmemory-policy {server.eviction}: when its memory is full, it"
            " deletes jobs that wait, or what keeps them from being enqueued twice",
            hint="set it to noeviction, or give jobs a server of their own: then a job that finds"
            " no room waits in the database",
            where=where,
        )
    if server.is_persistent is False:
        yield Message(
            id="arq.W002",
            level=Level.WARNING,
            text="Redis keeps nothing on disk: when it ends, all jobs are lost that wait or run",
            hint="set appendonly yes, with which a crash loses those of the last second; what is"
            " dead or scheduled is in the database in any case",
            where=where,
        )
