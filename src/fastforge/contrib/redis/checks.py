"""Checks of what the Redis server says; they connect, and run with `--redis` alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ...checks import Level, Message, check

if TYPE_CHECKING:
    from ...project import Project
    from .inspecting import ServerFacts

__all__ = ["redis_answers", "redis_connections_are_enough"]

OLDEST: Final = (6, 2)


@check(connects="redis", tags={"redis"})
async def redis_answers(project: Project) -> AsyncIterator[Message]:
    """Find a server that does not answer, is too old, or is one of a cluster; say what it is."""
    from .inspecting import inspect_redis  # redis-py, for the few who ask

    found = await inspect_redis(project)
    where = project.settings.where("REDIS")
    if found.failure is not None:
        yield Message(
            id="redis.E010",
            level=Level.ERROR,
            text=found.failure.message,
            hint=found.failure.hint,
            where=where,
        )
    if found.server is not None:
        for message in _of_server(found.server, found.config.target):
            yield replace(message, where=where)


def _of_server(server: ServerFacts, target: str) -> Iterator[Message]:
    yield Message(id="redis.I010", level=Level.INFO, text=f"Redis {server.version}, {target}")
    if server.release < OLDEST:
        yield Message(
            id="redis.W010",
            level=Level.WARNING,
            text=f"the server is Redis {server.version}, and fastforge is made for 6.2 and newer",
            hint="use a newer one: older ones get no more fixes, and below 6.0 they know neither"
            " users nor TLS",
        )
    if server.is_cluster:
        yield Message(
            id="redis.E011",
            level=Level.ERROR,
            text=f"{target} is a node of a cluster, which answers for a part of the keys alone",
            hint="name a single server, or one that stands for a primary and its replicas: the"
            " client follows no redirections, and the scripts of jobs use keys of all parts",
        )


@check(connects="redis", tags={"redis"})
async def redis_connections_are_enough(project: Project) -> AsyncIterator[Message]:
    """Find pools that together are larger than what the server takes."""
    from .budget import wanted_connections
    from .inspecting import inspect_redis

    server = (await inspect_redis(project)).server
    if server is None or server.max_clients is None:
        return
    total, by = wanted_connections(project)
    limit = f"and the server takes {server.max_clients} (maxclients)"
    where = project.settings.where("REDIS")
    if total > server.max_clients:
        yield Message(
            id="redis.E012",
            level=Level.ERROR,
            text=f"too many connections to Redis: {by}, {limit}",
            hint="lower REDIS.max_connections, run fewer processes, or raise maxclients",
            where=where,
        )
    else:
        yield Message(
            id="redis.I011",
            level=Level.INFO,
            text=f"the connections to Redis suffice: {by}, {limit}",
            where=where,
        )
