"""The resources of one process: its Redis connections, and the cache that is kept there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from ...cache.backend import backend_name
from ...cache.settings import Caching
from ...channels.carrying.broker import backend_name as channels_backend_name
from ...channels.carrying.deafness import is_deaf
from ...exceptions import ResourceUnavailable
from ...lifecycle import (
    Breaker,
    current_container,
    provide,
    resource,
    section,
    watched_breaker,
)
from .cache import RedisStore
from .channels import RedisBroker
from .client import open_client
from .library import Client, exceptions
from .permissions import channels_prefix
from .settings import Redis
from .unavailable import unavailable

__all__ = ["RedisClient", "breaker_of", "redis_cache", "redis_channels", "redis_client"]

COMMANDS: Final = "redis"
"""The breaker of the commands of a process."""
FAILURES: Final = 5
"""So many commands in a row that were not answered open the breaker."""
LEAST_WITHIN_S: Final = 10.0
LONGEST_PAUSE_S: Final = 1.0
"""What waits for Redis, as clients of channels do, is served within so long of its return."""
CACHE_FORMAT: Final = 1
"""How keys and entries are written: with another number nothing of before is found."""
CHANNELS_FIRST_PAUSE_S: Final = 0.05
CHANNELS_LONGEST_PAUSE_S: Final = 1.0
CACHE_FIRST_PAUSE_S: Final = 0.2
CACHE_LONGEST_PAUSE_S: Final = 2.0


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


@resource
async def redis_cache(
    redis: Annotated[Client, provide(redis_client)], config: Annotated[Redis, section(Redis)]
) -> AsyncIterator[RedisStore]:
    """Give the cache that all processes share, on the client of this one."""
    container = current_container()
    caching = container.settings.section(Caching)
    breaker = Breaker(
        "cache",
        opens_after=1,
        first_pause_s=CACHE_FIRST_PAUSE_S,
        longest_pause_s=CACHE_LONGEST_PAUSE_S,
        describe=lambda error: str(unavailable(config, error)),
    )
    if backend_name(container) == "redis":
        breaker = watched_breaker(breaker)
    name = caching.prefix or container.settings.module.partition(".")[0]
    store = RedisStore(
        redis,
        prefix=f"{name}:cache{CACHE_FORMAT}.{caching.version}:",
        timeout_s=caching.timeout_s,
        breaker=breaker,
    )
    try:
        yield store
    finally:
        await store.close()


@resource
async def redis_channels(
    redis: Annotated[Client, provide(redis_client)], config: Annotated[Redis, section(Redis)]
) -> AsyncIterator[RedisBroker]:
    """Give what carries messages of channels between processes.

    It publishes by the client of this process. It hears by one connection of its own, which is
    opened when somebody joins something.
    """
    container = current_container()
    own = open_client(config, max_connections=1)
    breaker = Breaker(
        "channels",
        opens_after=1,
        first_pause_s=CHANNELS_FIRST_PAUSE_S,
        longest_pause_s=CHANNELS_LONGEST_PAUSE_S,
        describe=lambda error: str(unavailable(config, error)),
        is_needed=lambda: is_deaf(
            container, broker.hearing, service=COMMANDS, is_required=config.required
        ),
    )
    if container.registry.values("channels") and channels_backend_name(container) == "redis":
        breaker = watched_breaker(breaker)
    connect: Any = own.connection_pool.make_connection  # of another type in each redis-py
    broker = RedisBroker(
        redis,
        connect,
        prefix=channels_prefix(container.settings),
        breaker=breaker,
    )
    try:
        yield broker
    finally:
        await broker.subscription.close()
        await own.aclose()


def breaker_of(config: Redis) -> Breaker:
    """Return a breaker for the commands of a process."""
    slowest_s = config.connect_timeout_s + config.read_timeout_s
    return Breaker(
        COMMANDS,
        opens_after=FAILURES,
        within_s=LEAST_WITHIN_S + FAILURES * slowest_s,
        longest_pause_s=LONGEST_PAUSE_S,
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
