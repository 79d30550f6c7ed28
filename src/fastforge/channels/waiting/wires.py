"""Wires: how frames get to a client, past the server's `send` where that can be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, ClassVar, Final

from starlette.types import Scope, Send

from ...transport import Transport, transport_of
from .begun import Rest, begun
from .frames import Frame
from .gate import SHUT, Gate
from .outbox import Outbox

__all__ = ["AsgiWire", "ClientWire", "DirectWire", "wire_of"]

logger = logging.getLogger("fastforge.channels")


class ClientWire:
    """What both wires have in common: one task at most, and a closing behind what waits.

    Args:
        send: The server's.
    """

    __slots__ = ("_closing", "_ended", "_outbox", "_send", "_task")

    hears_of_stop: ClassVar = False
    """Whether the server says when it is the socket's turn to be closed, as it stops."""
    may_be_stuck: ClassVar = True
    """Whether it waits for the server, so that somebody has to look for how long."""

    def __init__(self, send: Send) -> None:
        self._closing: tuple[int, str] | None = None
        self._ended: Callable[[], None] = _nothing
        self._outbox: Outbox | None = None
        self._send: Final = send
        self._task: asyncio.Task[None] | None = None

    @property
    def gate(self) -> Gate:
        """Where a room writes to the client past the outbox, as long as nothing waits there."""
        return SHUT

    @property
    def is_ready(self) -> bool:
        """Whether it takes a frame at once."""
        return False

    def offer(self, frame: Frame) -> bool:
        """Take a frame at once; False where it cannot be taken now."""
        return False

    def start(
        self, outbox: Outbox, *, ended: Callable[[], None], stopping: Callable[[int, str], None]
    ) -> None:
        """Begin to send what waits.

        Args:
            outbox: Where it waits.
            ended: Called when nothing can be sent any more: the client is gone.
            stopping: Called when the server stops, with a close code and a reason.
        """
        self._outbox, self._ended = outbox, ended
        self.wake()

    @property
    def is_sending(self) -> bool:
        """Whether its task runs."""
        return self._task is not None and not self._task.done()

    def wake(self) -> None:
        """Hear that something waits."""
        if not self.is_sending and self._outbox is not None:
            self._task = asyncio.get_running_loop().create_task(self._sending(self._outbox))
            self._task.add_done_callback(self._done)

    def close(self, code: int, reason: str) -> None:
        """Close the socket when everything has been sent."""
        self._closing = self._closing or (code, reason)
        self.wake()

    def is_stuck(self, now: float, limit_s: float) -> bool:
        """Return whether a frame has been on its way for longer than that."""
        return False

    def abort(self) -> None:
        """Let go of a client that takes nothing, not even its closing."""

    async def end(self) -> None:
        """Send nothing more: the client is gone."""
        self._ended, self._outbox = _nothing, None
        task = self._task
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task

    def _sending(self, outbox: Outbox) -> Coroutine[Any, Any, None]:
        raise NotImplementedError

    async def _close(self, closing: tuple[int, str]) -> None:
        code, reason = closing
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def _done(self, task: asyncio.Task[None]) -> None:
        if self._task is task:
            self._task = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        logger.debug("a socket takes nothing more: %r", error)
        self._ended()


class AsgiWire(ClientWire):
    """The wire of any server: what it does not take at once is sent by a task.

    A server whose client keeps up has nothing to wait for in `send`. It is then called where a
    message is published, and a task goes on with it only where it waits: a task for each message
    costs more than the message. Of many that are published at once a task sends all but the first.

    Args:
        send: The server's.
    """

    __slots__ = ("_rest", "_sent_at", "_since")

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self._rest: Rest | None = None
        self._sent_at = 0.0
        self._since: float | None = None

    def is_stuck(self, now: float, limit_s: float) -> bool:
        return self._since is not None and now - self._since > limit_s

    def offer(self, frame: Frame) -> bool:
        outbox, turn = self._outbox, asyncio.get_running_loop().time()
        if outbox is None or self._closing is not None or self.is_sending or turn == self._sent_at:
            return False
        self._sent_at = turn  # uvloop's time stands still for as long as it runs what is due
        try:
            self._rest = begun(self._send({"type": "websocket.send", "text": frame.text}))
        except Exception as error:
            self._fail(error)
        if self._rest is not None:
            self._since = outbox.now()
            self.wake()
        return True

    async def _sending(self, outbox: Outbox) -> None:
        rest, self._rest = self._rest, None
        if rest is not None:
            await rest
            self._since = None
        while (frame := outbox.pop()) is not None:
            self._since = outbox.now()
            await self._send({"type": "websocket.send", "text": frame.text})
            self._since = None
        if self._closing is not None:
            self._since = outbox.now()
            await self._close(self._closing)


class DirectWire(ClientWire):
    """The wire of our own server: bytes that are made once for all are written to each client.

    There is a task only while a client is behind.

    Args:
        transport: The connection.
        send: The server's.
    """

    __slots__ = ("_transport",)

    hears_of_stop = True
    may_be_stuck = False

    def __init__(self, transport: Transport, send: Send) -> None:
        super().__init__(send)
        self._transport: Final = transport

    @property
    def gate(self) -> Gate:
        return self._transport

    @property
    def is_ready(self) -> bool:
        return self._transport.is_writable

    def offer(self, frame: Frame) -> bool:
        return self._transport.write(frame.on_wire)

    def start(
        self, outbox: Outbox, *, ended: Callable[[], None], stopping: Callable[[int, str], None]
    ) -> None:
        super().start(outbox, ended=ended, stopping=stopping)
        self._transport.take_over_closing(stopping)

    def wake(self) -> None:
        self._transport.hold_back(True)
        super().wake()

    def abort(self) -> None:
        self._transport.abort()

    async def _sending(self, outbox: Outbox) -> None:
        while not outbox.is_empty:
            await self._transport.when_writable()
            if self._transport.close_code is not None:
                return
            outbox.drain()
        self._transport.hold_back(False)
        if self._closing is not None:
            await self._close(self._closing)


def wire_of(scope: Scope, send: Send) -> ClientWire:
    """Return the best wire that the server of a socket has.

    Args:
        scope: The server's.
        send: The server's.
    """
    transport = transport_of(scope)
    return AsgiWire(send) if transport is None else DirectWire(transport, send)


def _nothing() -> None:
    return None
