"""The resource `redis_client`: the Redis connections of one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

from ...exceptions import ResourceUnavailable
from ...lifecycle import (
    Breaker,
    current_container,
    provide,
    resource,
    section,
    watched_breaker,
)
from .client import open_client
from .library import Client, exceptions
from .settings import Redis
from .unavailable import unavailable

__all__ = ["RedisClient", "breaker_of", "redis_client"]

FAILURES: Final = 5
"""So many commands in a row that were not answered open the breaker."""
LEAST_WITHIN_S: Final = 10.0


async def _ping(client: Client) -> None:
    await _prove(client, current_container().settings.section(Redis))


def _is_optional(_client: Client) -> bool:
    return not current_container().settings.section(Redis).required


@resource(ping=_ping, optional=_is_optional)
async def redis_client(config: Annotated[Redis, section(Redis)]) -> AsyncIterator[Client]:
    """Open the client; a ping proves that the server answers.

    Without `required` the process goes on when it does not: a breaker lets commands fail at once
    until one that tries it finds it back. One line in the log tells of each.

    Raises:
        ResourceUnavailable: The server does not answer, and is `required`.
    """
    breaker = breaker_of(config)
    client = open_client(config, breaker=breaker)
    try:
        await _prove_if_required(client, config, breaker)
        watched_breaker(breaker)  # not before: a start that fails begins with another one
        yield client
    finally:
        await client.aclose()


RedisClient = Annotated[Client, provide(redis_client)]
"""The process's client: `async def hits(redis: RedisClient): await redis.incr("hits")`."""


def breaker_of(config: Redis) -> Breaker:
    """Return a breaker for the commands of a process."""
    slowest_s = config.connect_timeout_s + config.read_timeout_s
    return Breaker(
        "redis",
        opens_after=FAILURES,
        within_s=LEAST_WITHIN_S + FAILURES * slowest_s,
        describe=lambda error: str(unavailable(config, error)),
    )


async def _prove_if_required(client: Client, config: Redis, breaker: Breaker) -> None:
    try:
        await _prove(client, config)
    except ResourceUnavailable as error:
        if config.required:
            error.where = error.where or current_container().settings.where("REDIS")
            raise
        breaker.trip(error)


async def _prove(client: Client, config: Redis) -> None:
    try:
        await client.ping()
    except (exceptions.RedisError, OSError) as error:
        raise unavailable(config, error) from error
