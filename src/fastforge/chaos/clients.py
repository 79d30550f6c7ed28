"""Clients: one class for each kind of peer that a server meets."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import cycle
from typing import ClassVar, Final

from .outcome import Failed, Outcome
from .tally import Tally
from .wire import Connection, Target

__all__ = ["Client", "Fresh", "Halting", "Idle", "KeepAlive"]

AFTER_FAILURE_S: Final = 0.05
HALT_S: Final = 0.3


class Client(ABC):
    """Asks again and again until it is told to end; what it has begun it ends.

    Args:
        target: The server.
        paths: What it asks for, in turn.
        tally: Where it counts.
        ending: Set when no new request is to be sent.
        think_s: How long it waits between two requests, in seconds.
        limit_s: When an answer is too late, in seconds.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        target: Target,
        paths: Sequence[str],
        tally: Tally,
        ending: asyncio.Event,
        *,
        think_s: float,
        limit_s: float,
    ) -> None:
        self.target = target
        self.tally = tally
        self.ending = ending
        self._paths = cycle(paths)
        self._think_s = think_s
        self._limit_s = limit_s
        self._connection: Connection | None = None

    async def run(self) -> None:
        """Ask until the end."""
        try:
            while not self.ending.is_set():
                pause_s = self._think_s if await self._ask_once() else AFTER_FAILURE_S
                await asyncio.sleep(pause_s)
        finally:
            self.drop()

    def drop(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def connect(self) -> Connection:
        """Return the connection for the next request, a new one if need be."""
        if self._connection is None:
            self._connection = await Connection.open(self.target)
        return self._connection

    @abstractmethod
    async def exchange(self, path: str) -> None:
        """Send one request and read its answer.

        Raises:
            Failed: There was no whole answer below 400.
        """

    async def read(self, connection: Connection) -> bool:
        """Read one answer; return whether the server lets the connection live.

        Raises:
            Failed: It is not whole, or 400 or above.
        """
        head = await connection.head()
        await connection.body(head)
        if head.status >= 400:
            raise Failed(Outcome.SERVER_ERROR if head.status >= 500 else Outcome.CLIENT_ERROR)
        return head.keeps

    async def _ask_once(self) -> bool:
        path = next(self._paths)
        try:
            async with asyncio.timeout(self._limit_s):
                await self.exchange(path)
        except (Failed, TimeoutError) as error:
            outcome = error.outcome if isinstance(error, Failed) else Outcome.TIMEOUT
            opened_at = self._connection.opened_at if self._connection else time.monotonic()
            self.tally.failure(self.kind, path, outcome, opened_at)
            self.drop()
            return False
        self.tally.answer(self.kind)
        return True


class KeepAlive(Client):
    """Keeps its connection as long as the server does, and looks whether it is still there."""

    kind = "keep-alive"

    async def exchange(self, path: str) -> None:
        """Send one request on the connection that is kept."""
        if self._connection is not None and self._connection.is_stale:
            self.tally.stale += 1
            self.drop()
        connection = await self.connect()
        await connection.send(self.target.head(path))
        if not await self.read(connection):
            self.drop()


class Fresh(Client):
    """Opens a connection for each request."""

    kind = "fresh"

    async def exchange(self, path: str) -> None:
        """Send one request on a connection of its own."""
        connection = await self.connect()
        await connection.send(self.target.head(path))
        await self.read(connection)
        self.drop()


class Halting(Client):
    """Stops in the middle of the head of its request, as slow networks do."""

    kind = "halting"

    async def exchange(self, path: str) -> None:
        """Send one request in two pieces."""
        connection = await self.connect()
        head = self.target.head(path)
        await connection.send(head[:-2])
        await asyncio.sleep(HALT_S)
        await connection.send(head[-2:])
        await self.read(connection)
        self.drop()


class Idle(Client):
    """Asks once and then holds its connection without a word, until the server closes it.

    How the server does that is no failure: nothing was asked.
    """

    kind = "idle"

    async def exchange(self, path: str) -> None:
        """Send one request; the connection stays."""
        connection = await self.connect()
        await connection.send(self.target.head(path))
        if not await self.read(connection):
            self.drop()

    async def run(self) -> None:
        """Hold connections until the end."""
        try:
            while not self.ending.is_set():
                if await self._ask_once() and self._connection is not None:
                    await self._connection.until_closed()
                self.drop()
                await asyncio.sleep(AFTER_FAILURE_S)
        finally:
            self.drop()
