"""Inbox: what a client has sent and nobody has received yet, and a flag; both cost little.

asyncio's own queue and event take some thousand bytes of each socket, most of which are idle.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

__all__ = ["Flag", "Inbox"]

MESSAGE_BYTES: Final = 256
"""What a message takes beside its content."""


class Flag:
    """Is up or down; several may wait until it is up.

    Args:
        loop: The event loop.
        is_up: How it is at first.
    """

    __slots__ = ("_is_up", "_loop", "_waiters")

    def __init__(self, loop: asyncio.AbstractEventLoop, *, is_up: bool = False) -> None:
        self._is_up = is_up
        self._loop = loop
        self._waiters: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Return whether it is up."""
        return self._is_up

    def set(self) -> None:
        """Raise it, and wake all who wait."""
        self._is_up = True
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Lower it."""
        self._is_up = False

    async def wait(self) -> None:
        """Wait until it is up; it may be down again by the time when one is woken."""
        if not self._is_up:
            await self.raised()

    def raised(self) -> asyncio.Future[None]:
        """Return what is done when it is raised the next time."""
        waiter = self._loop.create_future()
        # Without those who have given up meanwhile.
        self._waiters = [each for each in self._waiters or () if not each.done()]
        self._waiters.append(waiter)
        return waiter


class Inbox:
    """Messages in their order, and how much memory they take.

    Args:
        loop: The event loop.

    Attributes:
        size_bytes: About what the messages take.
    """

    __slots__ = ("_messages", "_news", "size_bytes")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._messages: deque[tuple[int, Any]] | None = None
        self._news = Flag(loop)
        self.size_bytes = 0

    def put_nowait(self, message: Any, content_bytes: int = 0) -> None:
        """Add a message.

        Args:
            message: As ASGI has it.
            content_bytes: The size of its content.
        """
        size_bytes = MESSAGE_BYTES + content_bytes
        if self._messages is None:
            self._messages = deque()
        self._messages.append((size_bytes, message))
        self.size_bytes += size_bytes
        self._news.set()

    async def get(self) -> Any:
        """Return the next message, once there is one."""
        while not self._messages:
            self._news.clear()
            self._messages = None
            await self._news.raised()
        size_bytes, message = self._messages.popleft()
        self.size_bytes -= size_bytes
        return message

    def empty(self) -> bool:
        """Return whether there is none."""
        return not self._messages
