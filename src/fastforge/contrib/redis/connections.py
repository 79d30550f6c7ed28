"""Connections: those of redis-py, with time limits that cost next to nothing.

redis-py 5.3 wraps every write in a task and every read in a timer. Here a connection has one timer
that looks at most once within the limit whether what it waits for is overdue, and then cuts the
connection: so it is never used again, since its answer may come yet.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ...lifecycle import Breaker
from .errors import RedisLate, away
from .library import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    exceptions,
    pack_command,
)
from .settings import Redis

__all__ = ["LIMITED", "Limited"]


class Limited(AbstractConnection):
    """A connection that waits for an answer, or for a write, for so long.

    Making one, which is rare, has redis-py's own limit. A subscription waits as long as whoever
    reads from it says.

    Args:
        config: The section; an answer may take its `read_timeout_s`.
        breaker: Is told of what fails, and of what succeeds after it.
        options: What redis-py takes.
    """

    def __init__(self, *, config: Redis, breaker: Breaker | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._config = config
        self._limit_s = config.read_timeout_s
        self._breaker = breaker
        self._timer: asyncio.TimerHandle | None = None
        self._deadline: float | None = None
        self._is_overdue = False

    @property
    def is_clean(self) -> bool:
        """Whether it is open, and nothing has come that nobody asked for."""
        reader: Any = self._reader
        parser: Any = self._parser
        if not self.is_connected or reader.at_eof() or reader.exception():
            return False
        ahead = getattr(parser, "_reader", None)  # of hiredis
        unread = parser._buffer if ahead is None else ahead.has_data()
        return not (unread or reader._buffer)  # redis-py looks at the same private names

    async def connect(self) -> None:
        """Connect, if it is not connected.

        Raises:
            RedisAway: Nobody answers, or not to this user.
            RedisLate: There is no answer in time.
        """
        if self.is_connected:
            return
        # Else redis-py tries the connection before it has said who it is; when that fails, it
        # makes one to try it by, and so on for ever.
        self.next_health_check = math.inf
        try:
            await super().connect()  # type: ignore[no-untyped-call]
        except RedisLate:  # it has been told of
            raise
        except (exceptions.RedisError, OSError) as error:
            raise self._failed(away(self._config, error)) from error
        self._succeeded()

    def pack_command(self, *args: Any) -> list[bytes]:
        """Return a command as it is sent; by hiredis, if that is there and knows all types."""
        if pack_command is not None and isinstance(args[0], str) and " " not in args[0]:
            try:
                return [pack_command(args)]
            except TypeError:  # redis-py takes more of them, and tells what is wrong
                pass
        return super().pack_command(*args)

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        """Send a command, and connect before if needed."""
        if not self.is_connected:
            await self.connect()
        elif check_health and self._was_idle():
            await self.check_health()  # type: ignore[no-untyped-call]
        self._begin()
        try:
            await super().send_packed_command(command, check_health=False)
        except exceptions.ConnectionError as error:
            if not self._is_overdue:
                raise away(self._config, error) from error
        finally:
            self._deadline = None
        if self._is_overdue:  # a write that is cut need not fail
            raise await self._late("could be sent to")

    async def read_response(
        self,
        disable_decoding: bool = False,
        timeout: float | None = None,
        *,
        disconnect_on_error: bool = True,
        push_request: bool | None = False,
    ) -> Any:
        """Return the next answer."""
        if timeout is not None or not disconnect_on_error:
            return await super().read_response(
                disable_decoding,
                timeout,
                disconnect_on_error=disconnect_on_error,
                push_request=push_request,
            )
        self._begin()
        try:
            answer = await super().read_response(disable_decoding, push_request=push_request)
        except exceptions.ConnectionError as error:
            if self._is_overdue:
                raise await self._late("was answered by") from None
            raise away(self._config, error) from error
        except exceptions.ResponseError:
            self._succeeded()
            raise
        finally:
            self._deadline = None
        self._succeeded()
        if self._is_overdue:  # it came in the moment in which the connection was cut
            await self.disconnect(nowait=True)
        return answer

    def _was_idle(self) -> bool:
        interval_s = self.health_check_interval
        return bool(interval_s) and asyncio.get_running_loop().time() > self.next_health_check

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._is_overdue = False
        self._deadline = deadline = loop.time() + self._limit_s
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cut the connection if what it waits for is overdue, or look again when it would be."""
        self._timer = None
        if self._deadline is None:
            return
        if loop.time() < self._deadline:
            self._timer = loop.call_at(self._deadline, self._look, loop)
        elif self._writer is not None:
            self._is_overdue = True
            self._writer.transport.abort()

    async def _late(self, what: str) -> Exception:
        await self.disconnect(nowait=True)
        return self._failed(
            RedisLate(
                f"no command {what} Redis at {self._config.target} within {self._limit_s:g} s",
                code="redis.E003",
                hint="it may have been carried out all the same; see what keeps Redis busy, or"
                " raise REDIS.read_timeout_s",
            )
        )

    def _failed(self, error: Exception) -> Exception:
        if self._breaker is not None:
            self._breaker.failed(error)
        return error

    def _succeeded(self) -> None:
        breaker = self._breaker
        if breaker is not None and breaker.is_troubled:
            breaker.succeeded()


class LimitedTcp(Limited, Connection):
    """`redis://`."""


class LimitedTls(Limited, SSLConnection):
    """`rediss://`."""


class LimitedUnix(Limited, UnixDomainSocketConnection):
    """`unix://`."""


LIMITED: Final[Mapping[Any, type[LimitedTcp | LimitedTls | LimitedUnix]]] = {
    None: LimitedTcp,
    Connection: LimitedTcp,
    SSLConnection: LimitedTls,
    UnixDomainSocketConnection: LimitedUnix,
}
"""By the class that redis-py would take for a URL; it names none for `redis://`."""
