"""Pool: connections to Redis, of which there are only so many."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from ...lifecycle import Breaker, BreakerOpen
from ...observability.events import POOL_TIMEOUTS, POOL_WAIT_TIME
from ...observability.metrics.meter import Meter
from .connections import Limited, LimitedTcp, LimitedTls, LimitedUnix
from .errors import NoFreeConnection, RedisRefused
from .library import AbstractConnection, ConnectionPool

__all__ = ["POOL_NAME", "Pool"]

POOL_NAME: Final = "redis"
"""What metrics call it."""


class Pool(ConnectionPool):
    """A bounded pool: whoever wants a connection too many waits, and not for ever.

    Args:
        wait_s: How long, in seconds.
        max_connections: How many there are at most.
        connection_class: Which.
        breaker: Says whether Redis is asked at all.
        options: What a connection takes.

    Attributes:
        meter: How long callers waited, and how many gave up.
        waiting: How many callers wait for a connection.
    """

    def __init__(
        self,
        *,
        wait_s: float,
        max_connections: int,
        connection_class: type[LimitedTcp | LimitedTls | LimitedUnix],
        breaker: Breaker | None = None,
        **options: Any,
    ) -> None:
        super().__init__(connection_class, max_connections, breaker=breaker, **options)
        self._wait_s = wait_s
        self._breaker = breaker
        self._places = asyncio.Semaphore(max_connections)
        self.meter = Meter()
        self.waiting = 0

    @property
    def used(self) -> int:
        """How many connections are in use."""
        return len(self._in_use_connections)

    @property
    def idle(self) -> int:
        """How many connections are kept for the next command."""
        return len(self._available_connections)

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> Limited:
        """Return a connection that is open; `release` gives it back.

        Raises:
            NoFreeConnection: None was free in time.
            RedisRefused: Redis is away.
        """
        breaker = self._breaker
        if breaker is not None and breaker.is_troubled:
            _check(breaker)
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        try:
            connection: Limited = self.get_available_connection()  # type: ignore[no-untyped-call]
        except BaseException:
            self._places.release()
            raise
        if connection.is_clean:
            return connection
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back."""
        try:
            await super().release(connection)
        finally:
            self._places.release()

    def reset(self) -> None:
        """Forget all connections."""
        super().reset()  # type: ignore[no-untyped-call]
        self._places = asyncio.Semaphore(self.max_connections)

    async def _wait(self) -> None:
        began = time.monotonic()
        self.waiting += 1
        try:
            async with asyncio.timeout(self._wait_s):
                await self._places.acquire()
        except TimeoutError:
            self.meter.add(POOL_TIMEOUTS, POOL_NAME)
            raise NoFreeConnection(
                f"all {self.max_connections} connections to Redis are in use, and none was free"
                f" within {self._wait_s:g} s",
                code="redis.E002",
                hint="raise REDIS.max_connections; a command or subscription that waits for long"
                " takes a client of its own: open_client(config, max_connections=1)",
            ) from None
        finally:
            self.waiting -= 1
            self.meter.record(POOL_WAIT_TIME, POOL_NAME, value=time.monotonic() - began)


def _check(breaker: Breaker) -> None:
    try:
        breaker.check()
    except BreakerOpen as error:
        raise RedisRefused(error.message, code=error.code, hint=error.hint) from None
