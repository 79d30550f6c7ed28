"""The resource `rate_counters`: what counts in one process."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated, Final
from weakref import ref

from ...cache.backend import MEMORY, CacheStore
from ...cache.kinds import CACHE_BACKENDS
from ...cache.memory import MemoryStore
from ...components import Registry
from ...conf import Settings
from ...lifecycle import Container, current_container, resource, section
from ...observability.metrics.meter import meter_of
from ...signing import Keys, now_s
from .counters import Counters
from .errors import RateLimitError
from .settings import RateLimit

__all__ = ["rate_counters", "storage_hint", "storage_name"]

COUNTER_BYTES: Final = 512
"""More than a counter takes with its key."""


@resource
async def rate_counters(
    config: Annotated[RateLimit, section(RateLimit)],
) -> AsyncIterator[Counters]:
    """Give what counts who has asked how often."""
    container = current_container()
    settings = container.settings
    name = storage_name(settings, container.registry)
    yield Counters(
        local=MemoryStore(
            max_entries=config.max_counters, max_bytes=config.max_counters * COUNTER_BYTES
        ),
        shared=None if name == MEMORY else partial(_store, ref(container), name),
        clock=now_s,
        digest=_digest(settings),
        meter=meter_of(container),
        believes_proxies=bool(settings["TRUSTED_PROXIES"]),
    )


def storage_name(settings: Settings, registry: Registry) -> str:
    """Return the name of the cache backend that counts."""
    written = settings.section(RateLimit).storage
    if written is not None:
        return written
    if settings.environment == "test":
        return MEMORY
    declared = [backend.name for backend in registry.values(CACHE_BACKENDS)]
    return next((name for name in declared if name != MEMORY), MEMORY)


def storage_hint(name: str) -> str:
    """Return what to do about a storage that nobody declares."""
    if name == "redis":
        return 'add "fastforge.contrib.redis" to INSTALLED_APPS'
    return "name `memory`, `redis`, or another cache backend of an installed app"


def _store(container: ref[Container], name: str) -> CacheStore:
    running = container()
    assert running is not None
    for backend in running.registry.values(CACHE_BACKENDS):
        if backend.name == name:
            found: CacheStore = running[backend.resource]
            return found
    raise RateLimitError(
        f"RATE_LIMIT.storage is {name!r}, which no installed app declares",
        code="ratelimit.E004",
        hint=storage_hint(name),
        where=running.settings.where("RATE_LIMIT"),
    )


def _digest(settings: Settings) -> Callable[[bytes], bytes]:
    """Return what makes keys: without a secret whoever reads them could try all addresses."""
    if settings["SECRET_KEY"]:
        return Keys.of(settings, "fastforge.ratelimit").sign
    return lambda data: hashlib.sha256(data).digest()
