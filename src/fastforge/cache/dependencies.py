"""Dependencies: `Cache`, the annotation, and the cache of a running project."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final
from weakref import WeakKeyDictionary, ref

from fastapi import Depends

from ..lifecycle import Container, current_container
from .backend import CacheStore, store_of
from .engine import Engine
from .settings import Caching
from .space import CacheSpace

__all__ = ["Cache", "cache_of", "engine_of"]

_of_projects: Final[WeakKeyDictionary[Container, Engine]] = WeakKeyDictionary()


def engine_of(container: Container) -> Engine:
    """Return what reads and writes the cache of a running project in this process."""
    engine = _of_projects.get(container)
    if engine is None:
        # The engine must not keep the container alive that it is found by.
        find = partial(_store_of, ref(container))
        engine = _of_projects[container] = Engine(container.settings.section(Caching), find)
    return engine


def cache_of(container: Container) -> CacheSpace:
    """Return the cache of a running project, for code that is given nothing by annotation.

    ```python
    cache = cache_of(current_container())
    ```
    """
    return CacheSpace(engine_of(container))


async def _cache_here() -> CacheSpace:
    return cache_of(current_container())


Cache = Annotated[CacheSpace, Depends(_cache_here)]
"""The project's cache: `async def front(cache: Cache): await cache.get("front")`."""


def _store_of(container: ref[Container]) -> CacheStore:
    found = container()
    assert found is not None
    return store_of(found)
