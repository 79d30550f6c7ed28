"""The resource `redis_client`: the Redis connections of one process."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Annotated

from ...exceptions import ResourceUnavailable
from ...lifecycle import current_container, provide, resource, section
from .client import open_client, unavailable
from .library import Client, exceptions
from .settings import Redis

__all__ = ["RedisClient", "redis_client"]

logger = logging.getLogger("fastforge.contrib.redis")


async def _ping(client: Client) -> None:
    config = current_container().settings.section(Redis)
    if config.required:  # without another a process is ready all the same
        await _prove(client, config)


@resource(ping=_ping)
async def redis_client(config: Annotated[Redis, section(Redis)]) -> AsyncIterator[Client]:
    """Open the client; a ping proves that the server answers.

    Without `required` the process goes on when it does not: each command then tries anew.

    Raises:
        ResourceUnavailable: The server does not answer, and is `required`.
    """
    client = open_client(config)
    try:
        await _prove_or_warn(client, config)
        yield client
    finally:
        await client.aclose()


RedisClient = Annotated[Client, provide(redis_client)]
"""The process's client: `async def hits(redis: RedisClient): await redis.incr("hits")`."""


async def _prove_or_warn(client: Client, config: Redis) -> None:
    try:
        await _prove(client, config)
    except ResourceUnavailable as error:
        if config.required:
            error.where = error.where or current_container().settings.where("REDIS")
            raise
        logger.warning("going on without it, and trying it at each use: %s", error)


async def _prove(client: Client, config: Redis) -> None:
    try:
        await client.ping()
    except (exceptions.RedisError, OSError) as error:
        raise unavailable(config, error) from error
