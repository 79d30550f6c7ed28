"""A cache for handlers, sockets, tasks, commands and the shell, in memory or shared by processes.

`Cache` is the annotation; what stands behind it is chosen by the setting CACHE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._utils import lazy_attribute

if TYPE_CHECKING:
    from .answers import cached as cached
    from .backend import CacheBackend as CacheBackend
    from .backend import CacheStore as CacheStore
    from .dependencies import Cache as Cache
    from .dependencies import cache_of as cache_of
    from .errors import CacheAway as CacheAway
    from .errors import CacheError as CacheError
    from .errors import LockLost as LockLost
    from .errors import LockTaken as LockTaken
    from .filling import MISSING as MISSING
    from .kinds import CACHE_BACKENDS as CACHE_BACKENDS
    from .lock import Lock as Lock
    from .memory import MemoryStore as MemoryStore
    from .settings import Caching as Caching
    from .space import CacheSpace as CacheSpace

__all__ = [
    "CACHE_BACKENDS",
    "MISSING",
    "Cache",
    "CacheAway",
    "CacheBackend",
    "CacheError",
    "CacheSpace",
    "CacheStore",
    "Caching",
    "Lock",
    "LockLost",
    "LockTaken",
    "MemoryStore",
    "cache_of",
    "cached",
]

_LAZY = {
    "CACHE_BACKENDS": "kinds",
    "MISSING": "filling",
    "Cache": "dependencies",
    "CacheAway": "errors",
    "CacheBackend": "backend",
    "CacheError": "errors",
    "CacheSpace": "space",
    "CacheStore": "backend",
    "Caching": "settings",
    "Lock": "lock",
    "LockLost": "errors",
    "LockTaken": "errors",
    "MemoryStore": "memory",
    "cache_of": "dependencies",
    "cached": "answers",
}


def __getattr__(name: str) -> object:
    return lazy_attribute(__name__, _LAZY, name)
