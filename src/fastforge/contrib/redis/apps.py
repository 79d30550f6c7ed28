"""The app that provides a Redis client."""

from __future__ import annotations

from ...apps import AppConfig
from .settings import Redis

__all__ = ["RedisConfig"]


class RedisConfig(AppConfig):
    """Brings the resource behind `RedisClient` and the setting REDIS."""

    name = "fastforge.contrib.redis"
    settings = (Redis,)
