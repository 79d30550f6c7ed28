"""Cache: a store in Redis, which costs nothing while Redis is away."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from ...cache.backend import Kept, StoreGauges
from ...cache.errors import CacheAway
from ...cache.memory import no_number
from ...exceptions import ResourceUnavailable
from ...lifecycle import Breaker, BreakerState
from .library import Client, exceptions

__all__ = ["RedisStore"]

logger = logging.getLogger("fastforge.cache")

T = TypeVar("T")

OWED: Final = 10_000
"""So many keys are remembered that could not be forgotten while Redis was away."""
SCANNED: Final = 1000
COMPLAINS_EVERY_S: Final = 60.0
_GLOB: Final = re.compile(r"([\[\]?*\\^-])")
_SCRIPTS: Final = Path(__file__).parent / "scripts"
_AWAY: Final = (exceptions.ConnectionError, exceptions.TimeoutError, OSError, TimeoutError)
"""What means that Redis is not there, or not in time; anything else is an answer."""


class RedisStore:
    """Keeps bytes in Redis, behind a breaker of its own and one time limit for each call.

    The first call that is not answered in time opens the breaker. From then on calls fail at once,
    and none of them finds out whether Redis is back: a task beside them does. A call that takes too
    long is cancelled, and its connection thrown away: what comes on it later is nobody's.

    What could not be forgotten meanwhile is remembered, and forgotten before anything is read.

    Args:
        client: The client of the process.
        prefix: What all keys begin with.
        timeout_s: How long a call may take.
        breaker: Stands before the calls.
    """

    def __init__(self, client: Client, *, prefix: str, timeout_s: float, breaker: Breaker) -> None:
        self._client = client
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._breaker = breaker
        self._owed: dict[str, None] = {}
        self._probe: asyncio.Task[None] | None = None
        self._complained_at = -COMPLAINS_EVERY_S
        self._scripts = {file.stem: _script(client, file) for file in _SCRIPTS.glob("*.lua")}

    async def close(self) -> None:
        """End what looks for Redis."""
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)

    # --- values ---

    async def read(self, key: str, /, *, with_left: bool = False) -> Kept | None:
        """Return what is kept under a key."""
        name = self._prefix + key
        if not with_left:
            data = await self._ask(lambda: self._client.get(name))
            return None if data is None else Kept(data)

        async def read() -> Any:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.get(name)
            pipeline.pttl(name)
            return await pipeline.execute()

        data, left_ms = await self._ask(read)
        return None if data is None else Kept(data, max(0, left_ms) / 1000)

    async def write(self, key: str, data: bytes, /, *, ttl_s: float) -> None:
        """Keep something, in place of what there was."""
        await self._ask(lambda: self._client.set(self._prefix + key, data, px=_ms(ttl_s)))

    async def remove(self, keys: Sequence[str], /) -> None:
        """Forget keys, now or before anything is read again."""
        if not keys:
            return
        names = [self._prefix + key for key in keys]
        try:
            await self._ask(lambda: self._client.unlink(*names))
        except BaseException:  # also when it is cancelled: nobody knows whether it was done
            self._owe(names)
            raise

    async def touch(self, key: str, /, *, ttl_s: float) -> bool:
        """Keep something for so long from now on."""
        name = self._prefix + key
        return bool(await self._ask(lambda: self._client.pexpire(name, _ms(ttl_s))))

    async def add(self, key: str, amount: int, /, *, ttl_s: float) -> int:
        """Add to a number."""
        try:
            return int(await self._run("add", [key], amount, _ms(ttl_s)))
        except CacheAway as error:
            if "not an integer" in str(error.__cause__):
                raise no_number(key) from None
            raise

    # --- marks ---

    async def marks(self, keys: Sequence[str], /) -> Sequence[str | None]:
        """Return the marks that stand under keys."""
        names = [self._prefix + key for key in keys]
        found = await self._ask(lambda: self._client.mget(names))
        return [None if each is None else each.decode() for each in found]

    async def set_marks(self, keys: Sequence[str], mark: str, /, *, ttl_s: float) -> Sequence[str]:
        """Set a mark where none is."""
        return [each.decode() for each in await self._run("marks", keys, mark, _ms(ttl_s))]

    # --- locks ---

    async def claim(self, key: str, token: str, /, *, lease_s: float) -> int:
        """Take a lock that nobody has."""
        return int(await self._run("claim", [key, "fence"], token, _ms(lease_s)))

    async def renew(self, key: str, token: str, /, *, lease_s: float) -> bool:
        """Keep a lock for so long from now on."""
        return bool(await self._run("renew", [key], token, _ms(lease_s)))

    async def release(self, key: str, token: str, /) -> bool:
        """Give a lock back."""
        return bool(await self._run("release", [key], token))

    # --- all of it ---

    async def clear(self, prefix: str, /) -> None:
        """Forget all keys that begin like this."""
        pattern = _GLOB.sub(r"\\\1", self._prefix + prefix) + "*"

        async def step(cursor: int) -> int:
            following, names = await self._client.scan(cursor, match=pattern, count=SCANNED)
            if names:
                await self._client.unlink(*names)
            return int(following)

        cursor = await self._ask(partial(step, 0))
        while cursor:
            cursor = await self._ask(partial(step, cursor))

    def gauges(self) -> StoreGauges | None:
        """Return nothing: what there is, is elsewhere."""
        return None

    # --- asking ---

    async def _run(self, script: str, keys: Sequence[str], *arguments: object) -> Any:
        names = [self._prefix + key for key in keys]
        return await self._ask(lambda: self._scripts[script](keys=names, args=arguments))

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        if self._breaker.state is not BreakerState.CLOSED:
            self._breaker.refused += 1
            raise _away(self._breaker.reason)
        try:
            async with asyncio.timeout(self._timeout_s):
                if self._owed:
                    await self._pay()
                return await call()
        except (*_AWAY, ResourceUnavailable) as error:
            self._trip(error)
            raise _away(self._breaker.reason) from error
        except exceptions.RedisError as error:
            self._complain(error)
            raise _away(str(error)) from error

    def _trip(self, error: Exception) -> None:
        if self._breaker.state is BreakerState.CLOSED:
            self._breaker.trip(error)
            if self._probe is None or self._probe.done():
                self._probe = asyncio.create_task(self._find(), name="cache: find Redis")

    async def _find(self) -> None:
        """Try Redis until it answers in time, so that no call has to."""
        while self._breaker.state is not BreakerState.CLOSED:
            await self._breaker.next_try()
            try:
                async with asyncio.timeout(self._timeout_s):
                    await self._client.ping()
                    await self._pay()
            except Exception as error:  # whatever it is, somebody has to go on looking
                self._breaker.failed(error)
            else:
                self._breaker.succeeded()

    def _owe(self, names: Sequence[str]) -> None:
        self._owed |= dict.fromkeys(names)
        while len(self._owed) > OWED:
            self._owed.pop(next(iter(self._owed)))
            self._complain("more keys were to be forgotten than are remembered while it is away")

    async def _pay(self) -> None:
        if not self._owed:
            return
        owed = [*self._owed]
        await self._client.unlink(*owed)
        for name in owed:
            self._owed.pop(name, None)

    def _complain(self, reason: object) -> None:
        now = time.monotonic()
        if now - self._complained_at >= COMPLAINS_EVERY_S:
            self._complained_at = now
            logger.warning("the cache in Redis does without: %s", reason)


def _away(reason: str) -> CacheAway:
    return CacheAway(
        f"the cache in Redis cannot be asked: {reason}",
        code="cache.E010",
        hint="it is tried again by itself; values are made anew meanwhile",
    )


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _script(client: Client, file: Path) -> Callable[..., Awaitable[Any]]:
    script: Callable[..., Awaitable[Any]] = client.register_script(file.read_text("utf-8"))
    return script
