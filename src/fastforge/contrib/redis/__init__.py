"""One pooled Redis client a process, for handlers, tasks and commands alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._utils import lazy_attribute

if TYPE_CHECKING:
    from .client import open_client as open_client
    from .resources import RedisClient as RedisClient
    from .resources import redis_client as redis_client
    from .settings import Redis as Redis

__all__ = ["Redis", "RedisClient", "open_client", "redis_client"]

_LAZY = {
    "Redis": "settings",
    "RedisClient": "resources",
    "open_client": "client",
    "redis_client": "resources",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
