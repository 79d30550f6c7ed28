"""Space: the keys of one namespace, with typed values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar, overload

from .engine import Engine, tag_key
from .errors import CacheError
from .filling import MISSING, Filling, readable
from .lock import Lock
from .values import encoded

__all__ = ["MISSING", "CacheSpace"]

T = TypeVar("T")
D = TypeVar("D")

LONGEST_KEY: Final = 200
"""Longer ones are kept under their SHA-256."""
LONGEST_TTL_S: Final = 10 * 365 * 86_400
_NAME: Final = re.compile(r"[\w.-]+")


class CacheSpace:
    """What `Cache` gives: the cache of the project, or a namespace of it.

    ```python
    @router.get("/{slug}")
    async def article(slug: str, cache: Cache, db: DbSession) -> ArticleOut:
        return await cache.get_or_set(
            f"article:{slug}", lambda: load(db, slug), type=ArticleOut, tags=["articles"]
        )
    ```

    Surprises: it is never the truth. Whatever is in it may be gone at any time; while the backend
    is away there is nothing in it and nothing is kept, and nobody waits for that. Values are JSON:
    what is read is a new object each time, checked against `type`, and one that does not fit any
    more is not found.

    Args:
        engine: What all namespaces share.
        name: The namespace; empty for the project's own.
    """

    __slots__ = ("_engine", "_prefix", "name")

    def __init__(self, engine: Engine, name: str = "") -> None:
        self.name = name
        self._engine = engine
        self._prefix = f"v:{name}:"

    def namespace(self, name: str) -> CacheSpace:
        """Return the cache whose keys and locks are apart from all others; tags are common to all.

        Raises:
            CacheError: The name has other characters than letters, digits, `_`, `.` and `-`.
        """
        if not _NAME.fullmatch(name):
            raise CacheError(
                f"{name!r} is no name of a namespace",
                code="cache.E007",
                hint="use letters, digits, _, . and -",
            )
        return CacheSpace(self._engine, f"{self.name}/{name}" if self.name else name)

    # --- one key ---

    @overload
    async def get(self, key: str, *, type: type[T], default: D) -> T | D: ...
    @overload
    async def get(self, key: str, *, type: type[T]) -> T | None: ...
    @overload
    async def get(self, key: str, *, type: Any = ..., default: Any = ...) -> Any: ...
    async def get(self, key: str, *, type: Any = Any, default: Any = None) -> Any:
        """Return what is cached, or the default.

        ```python
        price = await cache.get("price:7", type=Decimal)
        ```

        Args:
            key: The key.
            type: What the value has to be: anything that pydantic can validate. Without one it is
                as JSON has it.
            default: What stands for nothing; `MISSING` tells that from a None that was cached.
        """
        entry = await self._engine.read(self._key(key))
        value = MISSING if entry is None else readable(entry, type)
        return default if value is MISSING else value

    async def set(
        self,
        key: str,
        value: object,
        *,
        ttl_s: float | None = None,
        tags: Sequence[str] = (),
        type: Any = Any,
    ) -> bool:
        """Cache a value in place of what there was.

        Surprises: the tags are looked at now. What was read before somebody invalidated them is
        better made by `get_or_set`, which looks at them before it reads.

        ```python
        await cache.set("price:7", Decimal("9.50"), ttl_s=60, tags=["prices"])
        ```

        Args:
            key: The key.
            value: Anything that can be written as JSON; None too.
            ttl_s: How long it is kept at most; `CACHE.default_ttl_s` unless given.
            tags: What it depends on: `invalidate` makes it worthless.
            type: How it is written, where that is not its own type.

        Returns:
            Whether it is kept: the backend may be away, or the value too large.

        Raises:
            CacheError: The value cannot be written as JSON, or `ttl_s` is no time.
        """
        full, ttl_s = self._key(key), self._ttl(ttl_s)
        json = encoded(value, type)
        self._engine.flights.forget(full)
        marks = await self._engine.marks([*dict.fromkeys(tags)], ttl_s=ttl_s)
        return await self._engine.write(full, json, ttl_s=ttl_s, marks=marks)

    @overload
    async def get_or_set(
        self,
        key: str,
        make: Callable[[], Awaitable[object]],
        *,
        type: type[T],
        ttl_s: float | None = ...,
        tags: Sequence[str] = ...,
        early_s: float = ...,
    ) -> T: ...
    @overload
    async def get_or_set(
        self,
        key: str,
        make: Callable[[], Awaitable[Any]],
        *,
        type: Any = ...,
        ttl_s: float | None = ...,
        tags: Sequence[str] = ...,
        early_s: float = ...,
    ) -> Any: ...
    async def get_or_set(
        self,
        key: str,
        make: Callable[[], Awaitable[Any]],
        *,
        type: Any = Any,
        ttl_s: float | None = None,
        tags: Sequence[str] = (),
        early_s: float = 0,
    ) -> Any:
        """Return what is cached; else make it, once for all who ask in this process meanwhile.

        Surprises: `make` runs in the task of the one who came first, with its session; when that
        is cancelled the next one makes it. An exception reaches everybody and is not cached. What
        is returned has been through JSON in any case, so that a hit is like a miss. What is
        deleted or invalidated while it is made is returned to those who asked before, and not kept.

        ```python
        tags = await cache.get_or_set("tags", lambda: load_tags(db), type=list[str], early_s=5)
        ```

        Args:
            key: The key.
            make: Makes the value; None is one.
            type: What the value is.
            ttl_s: How long it is kept at most.
            tags: What it depends on, as in `set`; looked at before it is made.
            early_s: So long before its end one caller makes it anew, and all others go on with
                what there is. Where that fails it goes on with it too.

        Raises:
            CacheError: The value does not fit its type, or working it out waits for itself.
            Exception: What `make` raises.
        """
        filling = Filling(
            engine=self._engine,
            key=self._key(key),
            namespace=self.name,
            make=make,
            type=type,
            ttl_s=self._ttl(ttl_s),
            tags=(*dict.fromkeys(tags),),
            early_s=early_s,
        )
        return await filling.value()

    async def delete(self, *keys: str) -> bool:
        """Forget keys.

        Returns:
            Whether it is done. While the backend is away it is not; this process then does it
            before it reads anything from there again.
        """
        full = [self._key(key) for key in keys]
        for each in full:
            self._engine.flights.forget(each)
            self._engine.flights.forget(f"e:{each}")
        return await self._engine.remove("delete", full)

    async def touch(self, key: str, ttl_s: float | None = None) -> bool:
        """Keep a value for so long from now on; False where there is none, or nobody can say."""
        touch = partial(self._engine.store.touch, self._key(key), ttl_s=self._ttl(ttl_s))
        return await self._engine.ask("touch", touch, False)

    async def incr(self, key: str, amount: int = 1, *, ttl_s: float | None = None) -> int | None:
        """Add to a number in one step, and return it; None while the backend is away.

        Args:
            key: The key; `get` reads it as well.
            amount: What is added; may be negative.
            ttl_s: How long it is kept from its beginning on, not from the last addition.

        Raises:
            CacheError: There is something else than a number.
        """
        add = partial(self._engine.store.add, self._key(key), amount, ttl_s=self._ttl(ttl_s))
        return await self._engine.ask("incr", add, None)

    # --- many ---

    async def invalidate(self, *tags: str) -> bool:
        """Make all values worthless that depend on one of some tags, in every namespace.

        Its cost does not depend on how many they are.

        Returns:
            Whether it is done, as `delete` does.
        """
        self._engine.flights.forget_tagged(tags)
        return await self._engine.remove("invalidate", [tag_key(tag) for tag in tags])

    async def clear(self) -> bool:
        """Forget everything of this namespace and those in it; it walks over all keys there are."""
        inner = f"v:{self.name}/" if self.name else "v:"
        prefixes = (inner, self._prefix) if self.name else (inner,)
        for prefix in prefixes:
            self._engine.flights.forget_all(prefix)
            self._engine.flights.forget_all(f"e:{prefix}")

        async def clear() -> bool:
            for prefix in prefixes:
                await self._engine.store.clear(prefix)
            return True

        return await self._engine.ask("clear", clear, False)

    def lock(self, name: str, *, timeout_s: float = 10, lease_s: float = 30) -> Lock:
        """Return a lock that one holder at a time has, of all processes that share the cache.

        ```python
        async with cache.lock("nightly", timeout_s=0) as lock:
            await run(fence=lock.fence)
        ```

        Args:
            name: Its name in this namespace.
            timeout_s: How long it is waited for; 0 for one attempt.
            lease_s: When it is another's, where this process does not say anything any more.
        """
        key = f"l:{self._key(name)}"
        return Lock(
            self._engine.store, key=key, name=name, timeout_s=timeout_s, lease_s=self._ttl(lease_s)
        )

    def _key(self, key: str) -> str:
        if not key:
            raise CacheError(
                "the key is empty", code="cache.E008", hint="name what is cached: 'price:7'"
            )
        if len(key) > LONGEST_KEY:
            key = f"#{hashlib.sha256(key.encode()).hexdigest()}"
        return self._prefix + key

    def _ttl(self, ttl_s: float | None) -> float:
        if ttl_s is None:
            return self._engine.config.default_ttl_s
        if not 0 < ttl_s <= LONGEST_TTL_S:
            raise CacheError(
                f"{ttl_s!r} is no time to keep something",
                code="cache.E009",
                hint="give seconds, more than 0; without a time: CACHE.default_ttl_s",
            )
        return ttl_s

    def __repr__(self) -> str:
        return f"<CacheSpace({self.name!r})>"
