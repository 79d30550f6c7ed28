"""Subscription: the one connection by which a process hears what others publish."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any, Final

from ...exceptions import ResourceUnavailable
from ...lifecycle import Breaker
from .library import AbstractConnection, exceptions

__all__ = ["Subscription"]

logger = logging.getLogger("fastforge.channels")

PING_S: Final = 2.0
"""After so long without a word the server is asked for one, and given so long again."""
AT_ONCE: Final = 500
"""How many names one command has."""
TAKEN_AT_ONCE: Final = 32
"""After so many messages those who send them have a turn, so that a burst finds no full queue."""
MOST_WITHHELD: Final = 10_000
"""What comes in beyond that is missed, as all that came before."""
_AWAY: Final = (exceptions.RedisError, OSError, ResourceUnavailable, TimeoutError)

Heard = Callable[[bytes, bytes], None]


class Subscription:
    """Hears the names that are wanted, and goes on when the server was away, was frozen or is new.

    What is wanted is known here and nowhere else. A new connection asks for exactly that, so that
    nothing of an old one is left; a name that comes in and is not wanted is given back.

    Args:
        connect: Makes a connection that is not open yet.
        heard: Called with the name and the content of each message.
        lost: Called when everything is heard again and something may have been missed.
        breaker: Says that nothing is heard, and how long to wait until the next attempt.

    Attributes:
        failure: Why nothing is heard; None while everything is.
        reconnects: How often a connection took the place of another.
        is_connected: Whether everything that is wanted is heard.
        deaf_since: Since when it is not, by `time.monotonic`; None where nobody listens.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractConnection],
        *,
        heard: Heard,
        lost: Callable[[], None],
        breaker: Breaker,
    ) -> None:
        self.failure: Exception | None = None
        self.reconnects = 0
        self.is_connected = False
        self.deaf_since: float | None = None
        self._breaker = breaker
        self._connect = connect
        self._connection: AbstractConnection | None = None
        self._heard = heard
        self._lost = lost
        self._confirmed: set[bytes] = set()
        self._wanted: dict[bytes, asyncio.Future[None] | None] = {}
        self._sending = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()
        self._has_been_connected = False
        # What comes in before it is told that something was missed would hide that.
        self._withheld: list[tuple[bytes, bytes]] = []
        self._task: asyncio.Task[None] | None = None

    async def add(self, name: bytes) -> None:
        """Hear a name; when this returns, it is heard.

        Surprises: while the server is away it waits. Whoever does not want to, sets a limit.
        """
        if self._task is None:  # a process in which nobody joins anything has no such connection
            self.deaf_since = time.monotonic()
            self._task = asyncio.create_task(
                self._run(),
                name="channels: hear",
                context=Context(),  # it is not the work of whoever was the first to join
            )
        waiter = self._wanted.get(name)
        if waiter is None and name in self._wanted and name in self._confirmed:
            return
        if waiter is None:
            waiter = self._wanted[name] = asyncio.get_running_loop().create_future()
            if self._connection is not None:
                await self._try_to_send("SUBSCRIBE", name)
        await asyncio.shield(waiter)

    def remove(self, name: bytes) -> None:
        """Hear a name no more."""
        waiter = self._wanted.pop(name, None)
        if waiter is not None:
            waiter.cancel()
        self._confirmed.discard(name)
        self._give_back(name)
        if self._connection is not None:  # whoever gave up may never have been able to ask for it
            self._look_whether_all_is_heard()

    async def close(self) -> None:
        """Hear nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        """Hear, for ever: it ends by being cancelled alone."""
        try:
            while True:
                try:
                    await self._hear()
                except _AWAY as error:
                    await self._lose(error)
                except Exception as error:
                    logger.exception("what hears the channels of this process failed")
                    await self._lose(error)
                await self._breaker.next_try()  # not all processes at once
        finally:
            await self._close()

    async def _lose(self, error: Exception) -> None:
        self.failure = error
        await self._close()
        self._breaker.lost(error)

    async def _hear(self) -> None:
        connection = self._connect()
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except BaseException:  # it may be open, and not ready yet
            await connection.disconnect(nowait=True)
            raise
        self._connection = connection
        self._confirmed.clear()
        names = [*self._wanted]
        for start in range(0, len(names), AT_ONCE):
            await self._send("SUBSCRIBE", *names[start : start + AT_ONCE])
        self._look_whether_all_is_heard()
        is_asked, at_once = False, 0
        while True:
            answer: Any = await connection.read_response(timeout=PING_S)
            if answer is not None:
                is_asked = False
                self._take(answer)
                at_once = (at_once + 1) % TAKEN_AT_ONCE
                if not at_once:  # what has come already is read without waiting
                    await asyncio.sleep(0)
            elif is_asked:
                raise exceptions.TimeoutError("the server says nothing")
            else:
                is_asked = True
                await self._send("PING")

    def _take(self, answer: Any) -> None:
        if not isinstance(answer, list):
            return
        kind = answer[0]
        if kind == b"message":
            _, name, data = answer
            if name not in self._wanted:
                self._give_back(name)
            elif self.is_connected or not self._has_been_connected:
                self._deliver(name, data)
            elif len(self._withheld) < MOST_WITHHELD:
                self._withheld.append((name, data))
        elif kind == b"subscribe":
            self._confirm(answer[1])

    def _deliver(self, name: bytes, content: bytes) -> None:
        """Give a message on. Anybody may publish anything: it keeps nothing else from coming in."""
        try:
            self._heard(name, content)
        except Exception:
            logger.exception("a message that came in for %r cannot be delivered", name.decode())

    def _confirm(self, name: bytes) -> None:
        if name in self._wanted:
            self._confirmed.add(name)
            waiter, self._wanted[name] = self._wanted[name], None
            if waiter is not None and not waiter.done():
                waiter.set_result(None)
        else:
            self._give_back(name)
        # Also then: it may have been the last one that the others were waited with for.
        self._look_whether_all_is_heard()

    def _look_whether_all_is_heard(self) -> None:
        if self.is_connected or len(self._confirmed) < len(self._wanted):
            return
        self.is_connected, self.failure, self.deaf_since = True, None, None
        self._breaker.succeeded()
        if self._has_been_connected:
            self.reconnects += 1
            self._lost()
        self._has_been_connected = True
        withheld, self._withheld = self._withheld, []
        for name, content in withheld:
            self._deliver(name, content)

    # --- sending ---

    async def _send(self, command: str, *names: bytes) -> None:
        async with self._sending:
            if self._connection is not None:
                await self._connection.send_command(command, *names, check_health=False)

    async def _try_to_send(self, command: str, *names: bytes) -> None:
        try:
            await self._send(command, *names)
        except _AWAY:
            return  # whoever reads finds out, and asks again for everything

    def _give_back(self, name: bytes) -> None:
        if self._connection is None:
            return

        async def leave() -> None:
            if name not in self._wanted:
                await self._try_to_send("UNSUBSCRIBE", name)

        task = asyncio.ensure_future(leave())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    # --- the end of a connection ---

    async def _close(self) -> None:
        if self.is_connected:
            self.deaf_since = time.monotonic()
        self.is_connected = False
        connection, self._connection = self._connection, None
        self._wait_anew(self._confirmed)
        self._confirmed.clear()
        self._withheld.clear()
        if connection is not None:
            await connection.disconnect(nowait=True)

    def _wait_anew(self, names: Iterable[bytes]) -> None:
        """Let those who ask for a name again wait until the next connection has it."""
        loop = asyncio.get_running_loop()
        for name in names:
            if name in self._wanted:
                self._wanted[name] = loop.create_future()
