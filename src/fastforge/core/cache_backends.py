"""The cache backend that needs no app."""

from __future__ import annotations

from typing import Final

from ..cache.backend import CacheBackend
from .resources import memory_cache

__all__ = ["MEMORY"]

MEMORY: Final = CacheBackend(name="memory", resource=memory_cache)
