"""Permissions: whether the user of Redis may publish in channels, and hear what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...channels.carrying.broker import chosen_backend
from ...channels.kinds import CHANNEL_BACKENDS, CHANNELS
from ...channels.settings import Channels
from ...conf import Settings
from .client import open_client
from .library import Client, exceptions
from .settings import Redis
from .unavailable import is_forbidden

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["carries_channels", "channels_prefix", "forbidden", "lacking"]

CHANNELS_FORMAT: Final = 1
ANSWERS_WITHIN_S: Final = 2.0
_TRIAL: Final = "redis.call('EXISTS', KEYS[1]) return redis.call('PUBLISH', ARGV[1], '')"


def carries_channels(project: Project) -> bool:
    """Return whether channels are carried by Redis outside of tests."""
    declared = project.registry.values(CHANNEL_BACKENDS)
    has_some = bool(project.registry.values(CHANNELS))
    return has_some and chosen_backend(project.settings, declared) == "redis"


def channels_prefix(settings: Settings) -> str:
    """Return what all keys and names of a project's channels begin with."""
    name = settings.section(Channels).prefix or settings.module.partition(".")[0]
    return f"{name}:channels{CHANNELS_FORMAT}:"


def forbidden(prefix: str, error: BaseException) -> tuple[str, str]:
    """Return what a user lacks, and how it is allowed."""
    allow = f"ACL SETUSER <user> +@all ~{prefix}* &{prefix}*"
    return (
        f"the user of REDIS.url may not publish, or hear what is published: {error}",
        f"allow it: {allow}; since Redis 7 a new user may do neither",
    )


async def lacking(project: Project) -> tuple[str, str] | None:
    """Return what the user of a project lacks, and how it is allowed; None for nothing.

    It publishes a message that nobody hears, and writes nothing. Of a server that is away nothing
    is known.
    """
    prefix = channels_prefix(project.settings)
    client = open_client(project.settings.section(Redis), max_connections=2, retries=0)
    try:
        await _try(client, prefix)
    except (exceptions.RedisError, OSError) as error:
        return forbidden(prefix, error) if is_forbidden(error) else None
    finally:
        await client.aclose()
    return None


async def _try(client: Client, prefix: str) -> None:
    name = f"{prefix}trial"
    await client.eval(_TRIAL, 1, f"{prefix}meta", name)  # type: ignore[misc]
    async with client.pubsub() as subscription:
        await subscription.subscribe(name)
        await subscription.get_message(timeout=ANSWERS_WITHIN_S)
