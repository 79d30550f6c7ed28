"""WebSocket: the little of RFC 6455 that a client needs to hold a socket and hear its end."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Final

from .clients import AFTER_FAILURE_S, Client
from .outcome import Failed
from .wire import Connection, Head, Target

__all__ = ["SocketClient", "shake_hands"]

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
FINAL: Final = 0x80
MASKED: Final = 0x80
NO_CODE: Final = "no code"
CUT: Final = "cut"
LOST: Final = "lost"
"""With a process that was killed."""
AFTER_REFUSAL_S: Final = 0.25


async def shake_hands(connection: Connection, target: Target, path: str) -> Head:
    """Ask for a web socket and return what the server says; 101 is yes.

    Raises:
        Failed: It says nothing.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    wishes = (
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    )
    await connection.send(target.head(path, wishes))
    return await connection.head()


class SocketClient(Client):
    """Holds a web socket open until the server closes it, and opens it again before the end.

    A socket that is refused is counted and no failure: a server that stops does so.

    Attributes:
        greetings: What it says first, by the path.
    """

    kind = "socket"
    greetings: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    async def run(self) -> None:
        """Hold sockets until the last one is closed by the server."""
        try:
            while not self.ending.is_set():
                is_held = await self._ask_once() and await self._hold()
                self.drop()
                await asyncio.sleep(AFTER_FAILURE_S if is_held else AFTER_REFUSAL_S)
        finally:
            self.drop()

    async def exchange(self, path: str) -> None:
        """Open one socket; or be refused, and have no connection then.

        Raises:
            Failed: There was no answer.
        """
        connection = await self.connect()
        head = await shake_hands(connection, self.target, path)
        if head.status != 101:
            self.tally.sockets[f"refused with {head.status}"] += 1
            self.drop()
            return
        for text in self.greetings.get(path, ()):
            await connection.send(_masked(TEXT, text.encode()))

    async def _hold(self) -> bool:
        """Hold a socket until it ends; return whether there was one."""
        connection = self._connection
        if connection is None:
            return False
        try:
            code = await self._until_closed(connection)
        except Failed:
            code = LOST if self.tally.is_excused(connection.opened_at) else CUT
        self.tally.sockets[code] += 1
        return True

    async def _until_closed(self, connection: Connection) -> str:
        while True:
            opcode, data = await _frame(connection)
            if opcode == CLOSE:
                with suppress(Failed):  # it may be gone already
                    await connection.send(_masked(CLOSE, data[:2]))
                return str(int.from_bytes(data[:2], "big")) if data else NO_CODE
            if opcode == PING:
                await connection.send(_masked(PONG, data))


async def _frame(connection: Connection) -> tuple[int, bytes]:
    first, second = await connection.read_exactly(2)
    length = second & 0x7F
    if length >= 126:
        length = int.from_bytes(await connection.read_exactly(2 if length == 126 else 8), "big")
    return first & 0x0F, await connection.read_exactly(length)


def _masked(opcode: int, data: bytes) -> bytes:
    mask = os.urandom(4)
    body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
    return bytes([FINAL | opcode, MASKED | len(data)]) + mask + body
