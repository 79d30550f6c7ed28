"""The wire of any ASGI server: a task that sends one frame after the other."""

from __future__ import annotations

import asyncio
import time

from starlette.types import Send

from .frames import Frame
from .outbox import Outbox

__all__ = ["AsgiWire"]


class AsgiWire:
    """Sends what waits in an outbox, and then closes the socket if that was asked for.

    Args:
        send: The server's.

    Attributes:
        sending_since: Since when a send has not come back; None while none is under way.
        has_closed: Whether the closing was sent.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._wake: asyncio.Future[None] | None = None
        self._closing: tuple[int, str] | None = None
        self.has_closed = False
        self.sending_since: float | None = None

    @property
    def is_ready(self) -> bool:
        """Never: each frame is waited for."""
        return False

    def write(self, frame: Frame) -> None:
        """It is never ready."""
        raise AssertionError(frame)

    def wake(self) -> None:
        """Hear that something waits."""
        wake = self._wake
        if wake is not None and not wake.done():
            wake.set_result(None)

    def close(self, code: int, reason: str) -> None:
        """Close the socket when everything has been sent."""
        self._closing = self._closing or (code, reason)
        self.wake()

    async def run(self, outbox: Outbox) -> None:
        """Send until the socket is closed."""
        loop = asyncio.get_running_loop()
        while True:
            frame = outbox.pop()
            if frame is not None:
                self.sending_since = time.monotonic()
                await self._send({"type": "websocket.send", "text": frame.text})
                self.sending_since = None
            elif self._closing is not None:
                await self._send_closing(*self._closing)
                return
            else:
                self._wake = loop.create_future()
                await self._wake

    async def _send_closing(self, code: int, reason: str) -> None:
        self.sending_since = time.monotonic()
        await self._send({"type": "websocket.close", "code": code, "reason": reason})
        self.has_closed = True
