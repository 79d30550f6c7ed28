"""The kind of cache backends."""

from __future__ import annotations

from typing import Final

from ..components import Kind
from .backend import CacheBackend

__all__ = ["CACHE_BACKENDS"]

CACHE_BACKENDS: Final[Kind[CacheBackend]] = Kind(
    name="cache_backends",
    type=CacheBackend,
    module="cache_backends",
    key=lambda backend: backend.name,
)
