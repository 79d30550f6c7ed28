"""Backend: where the bytes of a cache are, as the cache itself sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from .._utils import did_you_mean
from ..lifecycle import Container, Resource
from .errors import CacheError
from .settings import Caching

__all__ = [
    "MEMORY",
    "CacheBackend",
    "CacheStore",
    "Kept",
    "StoreGauges",
    "backend_hint",
    "backend_name",
    "store_of",
]

MEMORY = "memory"


class Kept(NamedTuple):
    """What a store has under a key.

    Args:
        data: The bytes.
        left_s: How long it will have them; 0 where nobody has asked for that.
    """

    data: bytes
    left_s: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreGauges:
    """What a store has in this process: of one that is elsewhere nothing.

    Attributes:
        entries: How many values.
        size_bytes: What they take together.
        evicted: How many gave way to others before their time was over.
    """

    entries: int
    size_bytes: int
    evicted: int


class CacheStore(Protocol):
    """What a backend does with bytes. Each method may raise CacheAway, within a short time."""

    async def read(self, key: str, /, *, with_left: bool = False) -> Kept | None:
        """Return what is kept under a key."""
        ...

    async def write(self, key: str, data: bytes, /, *, ttl_s: float) -> None:
        """Keep something, in place of what there was."""
        ...

    async def remove(self, keys: Sequence[str], /) -> None:
        """Forget keys.

        One that cannot do it now and goes on to serve later forgets them before it does.
        """
        ...

    async def touch(self, key: str, /, *, ttl_s: float) -> bool:
        """Keep something for so long from now on; False where there is nothing."""
        ...

    async def add(self, key: str, amount: int, /, *, ttl_s: float) -> int:
        """Add to a number, which begins at 0 and with that time, in one step.

        Raises:
            CacheError: There is something else than a number.
        """
        ...

    async def marks(self, keys: Sequence[str], /) -> Sequence[str | None]:
        """Return the marks that stand under keys."""
        ...

    async def set_marks(self, keys: Sequence[str], mark: str, /, *, ttl_s: float) -> Sequence[str]:
        """Set a mark where none is; return those that stand now, for so long at least."""
        ...

    async def claim(self, key: str, token: str, /, *, lease_s: float) -> int:
        """Take a lock that nobody has.

        Returns:
            A number that is larger than all before it; 0 where somebody has the lock.
        """
        ...

    async def renew(self, key: str, token: str, /, *, lease_s: float) -> bool:
        """Keep a lock for so long from now on; False where the token does not hold it."""
        ...

    async def release(self, key: str, token: str, /) -> bool:
        """Give a lock back; False where the token does not hold it."""
        ...

    async def clear(self, prefix: str, /) -> None:
        """Forget all keys that begin like this; may take long."""
        ...

    def gauges(self) -> StoreGauges | None:
        """Return what it has in this process."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheBackend:
    """The declaration of a backend, in an app's `cache_backends.py`.

    ```python
    MEMCACHED = CacheBackend(name="memcached", resource=memcached_cache)
    ```

    Args:
        name: What CACHE.backend calls it.
        resource: Opens the CacheStore.
    """

    name: str
    resource: Resource[Any]


def backend_name(container: Container) -> str:
    """Return the name of the backend that the settings choose."""
    written = container.settings.section(Caching).backend
    if written is not None:
        return written
    if container.settings.environment == "test":
        return MEMORY
    declared = [each.name for each in container.registry.values("cache_backends")]
    return next((name for name in declared if name != MEMORY), MEMORY)


def store_of(container: Container) -> CacheStore:
    """Return the running store that CACHE.backend names.

    Raises:
        CacheError: No installed app declares it.
    """
    name = backend_name(container)
    for backend in container.registry.values("cache_backends"):
        if backend.name == name:
            found: CacheStore = container[backend.resource]
            return found
    raise CacheError(
        f"CACHE.backend is {name!r}, which no installed app declares",
        code="cache.E001",
        hint=backend_hint(name),
        where=container.settings.where("CACHE"),
    )


def backend_hint(name: str) -> str:
    """Return what to do about a backend that is not installed."""
    if name == "redis":
        return 'add "fastforge.contrib.redis" to INSTALLED_APPS'
    return (
        did_you_mean(name, (MEMORY, "redis"))
        or "install the app that declares it in its cache_backends.py, or name another"
    )
