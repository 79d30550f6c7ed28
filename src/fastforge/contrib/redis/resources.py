"""The resource `redis_client`: the Redis connections of one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from ...exceptions import ResourceUnavailable
from ...lifecycle import current_container, provide, resource, section
from .client import open_client
from .library import Client, exceptions
from .reachability import Reachability
from .settings import Redis
from .unavailable import unavailable

__all__ = ["RedisClient", "redis_client"]


async def _ping(client: Client) -> None:
    config = current_container().settings.section(Redis)
    if config.required:  # without another a process is ready all the same
        await _prove(client, config)


@resource(ping=_ping)
async def redis_client(config: Annotated[Redis, section(Redis)]) -> AsyncIterator[Client]:
    """Open the client; a ping proves that the server answers.

    Without `required` the process goes on when it does not: each command then tries anew. One
    line in the log tells when the server goes away, and one when it is back.

    Raises:
        ResourceUnavailable: The server does not answer, and is `required`.
    """
    client = open_client(config, reachability=Reachability(config))
    try:
        await _prove_if_required(client, config)
        yield client
    finally:
        await client.aclose()


RedisClient = Annotated[Client, provide(redis_client)]
"""The process's client: `async def hits(redis: RedisClient): await redis.incr("hits")`."""


async def _prove_if_required(client: Client, config: Redis) -> None:
    try:
        await _prove(client, config)
    except ResourceUnavailable as error:
        if config.required:
            error.where = error.where or current_container().settings.where("REDIS")
            raise


async def _prove(client: Client, config: Redis) -> None:
    try:
        await client.ping()
    except (exceptions.RedisError, OSError) as error:
        raise unavailable(config, error) from error
