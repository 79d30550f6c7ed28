"""The cache backend that this app declares."""

from __future__ import annotations

from typing import Final

from ...cache.backend import CacheBackend
from .resources import redis_cache

__all__ = ["REDIS"]

REDIS: Final = CacheBackend(name="redis", resource=redis_cache)
