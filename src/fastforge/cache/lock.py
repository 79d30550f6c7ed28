"""Lock: one holder at a time, for as long as he renews his lease, and no longer."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from types import TracebackType
from typing import Final, Self

from .backend import CacheStore
from .errors import CacheAway, LockLost, LockTaken

__all__ = ["Lock"]

logger = logging.getLogger("fastforge.cache")

FIRST_PAUSE_S: Final = 0.01
LONGEST_PAUSE_S: Final = 0.25
RENEWALS: Final = 3
"""So many times within a lease it is renewed."""


class Lock:
    """A lock over all processes that share the cache; `Cache.lock` makes one.

    ```python
    async with cache.lock("import", timeout_s=0) as lock:
        for page in pages:
            lock.check()
            await store(page, fence=lock.fence)
    ```

    What it promises: while the store answers, one holder at a time; a holder that has died, or
    whose event loop stands still, is followed by another one when its lease is over. What it does
    not promise: that a holder which was followed has stopped. A process that was suspended for
    longer than its lease goes on until it looks: `check()` raises then, and so does the end of the
    block. What must never be done twice is guarded by `fence`, which only grows: whoever is written
    to refuses a smaller one than the last. A Redis that loses what it has, in a restart without
    persistence or a failover, loses locks and the counter of fences too.

    Args:
        store: Where it is kept.
        key: Its name there.
        name: Its name for people.
        timeout_s: How long it is waited for; 0 for one attempt.
        lease_s: How long it is kept when its holder does not say anything.

    Attributes:
        token: What proves who holds it.
        fence: A number that is larger than that of every holder before; 0 until it is held.
        is_lost: Whether it was found to be another's.
    """

    def __init__(
        self, store: CacheStore, *, key: str, name: str, timeout_s: float, lease_s: float
    ) -> None:
        self.name = name
        self.token = secrets.token_hex(16)
        self.fence = 0
        self.is_lost = False
        self._store = store
        self._key = key
        self._timeout_s = timeout_s
        self._lease_s = lease_s
        self._ends_at = 0.0
        self._renewing: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Return if it is held still, as far as this process can know.

        Raises:
            LockLost: It is not.
        """
        if self.is_lost or asyncio.get_running_loop().time() >= self._ends_at:
            self.is_lost = True
            raise LockLost(
                f"the lock {self.name!r} was lost: its lease of {self._lease_s:g} s was not renewed"
                " in time",
                code="cache.E006",
                hint="undo what was done, or guard it by the lock's fence; see what blocked the"
                " event loop, or give a longer lease_s",
            )

    async def __aenter__(self) -> Self:
        """Wait for it.

        Raises:
            LockTaken: Others have held it all the time.
            CacheAway: The store cannot be asked: nobody knows who holds it.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._timeout_s
        pause_s = FIRST_PAUSE_S
        while not await self._claim():
            left_s = give_up_at - loop.time()
            if left_s <= 0:
                raise LockTaken(
                    f"the lock {self.name!r} is held by another, and was not free within"
                    f" {self._timeout_s:g} s",
                    code="cache.E005",
                    hint="try again later, or wait for longer: timeout_s",
                )
            await asyncio.sleep(min(left_s, random.uniform(pause_s / 2, pause_s)))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        self._renewing = asyncio.create_task(self._renew(), name=f"lock {self.name}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give it back.

        Raises:
            LockLost: It was lost meanwhile, and nothing else is raised.
        """
        if self._renewing is not None:
            self._renewing.cancel()
        is_late = asyncio.get_running_loop().time() >= self._ends_at
        if not await self._give_back() or is_late:
            self.is_lost = True
        if error is None and self.is_lost:
            self.check()

    async def _claim(self) -> bool:
        began = asyncio.get_running_loop().time()
        try:
            self.fence = await self._store.claim(self._key, self.token, lease_s=self._lease_s)
        except BaseException:
            await self._give_back()  # it may be held all the same, and nobody would know
            raise
        self._ends_at = began + self._lease_s
        return self.fence > 0

    async def _give_back(self) -> bool:
        """Return False where somebody else had it; where nobody can know, the lease decides."""
        try:
            return await self._store.release(self._key, self.token)
        except CacheAway:
            return True

    async def _renew(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._lease_s / RENEWALS)
            began = loop.time()
            try:
                is_held = await self._store.renew(self._key, self.token, lease_s=self._lease_s)
            except CacheAway:
                is_held = began < self._ends_at  # perhaps the next time
            else:
                self._ends_at = began + self._lease_s if is_held else began
            if not is_held:
                self.is_lost = True
                logger.warning("the lock %r was lost while it was held", self.name)
                return
