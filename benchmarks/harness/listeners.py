"""Listeners: clients of web sockets by the thousand, which note when each message comes in."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["Audience", "Listener", "percentile", "say"]

DEADLINE_S: Final = 120
AT_ONCE: Final = 50
AT: Final = b'"at":'
"""Stands before the time of a message; what has none is none, but an answer."""
DEFLATE: Final = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
TEXT, CLOSE, PING = 1, 8, 9
UNTIL_TAKEN_S: Final = 0.02


class Listener(asyncio.Protocol):
    """A client that listens.

    Attributes:
        received: How many messages have come in.
        latencies_ns: How long each of them has taken.
        answers: The frames that are none.
        close_code: What the server has closed it with.
    """

    def __init__(self) -> None:
        self.received = 0
        self.latencies_ns: list[int] = []
        self.answers: list[bytes] = []
        self.close_code: int | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: Any = None
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.close_code = self.close_code or 1006
        if not self.opened.done():
            self.opened.set_exception(RuntimeError("the connection was lost"))

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        unread = self._unread + data if self._unread else data
        if not self.opened.done():
            head, end, unread = unread.partition(b"\r\n\r\n")
            if not end:
                self._unread = head
                return
            if b" 101 " not in head[:16]:
                self.opened.set_exception(RuntimeError(head.decode("latin1")))
                return
            self.opened.set_result(None)
        done = 0
        for opcode, content, end in _frames(unread):
            self._take(opcode, content, now)
            done = end
        self._unread = unread[done:]

    def _take(self, opcode: int, content: bytes, now: int) -> None:
        if opcode == TEXT:
            place = content.find(AT)
            if place < 0:
                self.answers.append(content)
                return
            self.received += 1
            sent = content[place + len(AT) : content.find(b",", place)]
            self.latencies_ns.append(now - int(sent))
        elif opcode == PING:
            self.transport.write(_masked(0x8A, content))
        elif opcode == CLOSE:
            self.close_code = int.from_bytes(content[:2], "big") if content else 1005

    def send(self, text: str) -> None:
        """Send a text."""
        self.transport.write(_masked(0x81, text.encode()))


class Audience:
    """Clients of one server, all of which listen to one room.

    Attributes:
        listeners: Them.
    """

    def __init__(self) -> None:
        self.listeners: list[Listener] = []

    async def grow(
        self,
        port: int,
        count: int,
        *,
        path: str,
        joins: str = "",
        options: str = "",
        receive_bytes: int = 0,
    ) -> None:
        """Let so many more come.

        Args:
            port: The server's.
            count: How many.
            path: Where the socket is.
            joins: The channel that they join by our protocol; empty: whoever is there is in it.
            options: More lines of their handshakes.
            receive_bytes: What the system takes for each until it is read; 0: as much as usual.
        """
        for start in range(0, count, AT_ONCE):
            few = min(AT_ONCE, count - start)
            opened = await asyncio.gather(
                *(_opened(port, path, options, receive_bytes) for _ in range(few))
            )
            self.listeners += opened
            if joins:
                for each in opened:
                    each.send(json.dumps({"type": "join", "ref": 1, "channel": joins}))
                await _until(lambda few=opened: all(_has_joined(each) for each in few))

    @property
    def received(self) -> int:
        """How many messages have come in, for all of them together."""
        return sum(each.received for each in self.listeners)

    def forget(self) -> None:
        """Begin to count anew."""
        for each in self.listeners:
            each.received, each.latencies_ns = 0, []

    def latencies_ms(self) -> list[float]:
        """Return how long each message took to each client, sorted."""
        return sorted(ns / 1e6 for each in self.listeners for ns in each.latencies_ns)

    async def settle(self, count: int, limit_s: float = DEADLINE_S) -> None:
        """Wait until so many messages have come in, or for so long."""
        with contextlib.suppress(TimeoutError):
            await _until(lambda: self.received >= count, limit_s)

    def leave(self) -> None:
        """Let all of them go at once."""
        for each in self.listeners:
            each.transport.abort()
        self.listeners = []


async def say(port: int, *, count: int, gap_s: float = 0, size: int = 200) -> None:
    """Let a server say so many messages, and wait until it has.

    Raises:
        RuntimeError: It was not answered with 200.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = f"/say?count={count}&gap_s={gap_s:.6f}&size={size}"
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    answer = await asyncio.wait_for(reader.read(), DEADLINE_S)
    writer.close()
    if b" 200 " not in answer[:16]:
        raise RuntimeError(answer[:500].decode("latin1"))


def percentile(values: list[float], share: float) -> float:
    """Return the value below which that share of sorted values is."""
    return values[min(len(values) - 1, int(len(values) * share))]


async def _opened(port: int, path: str, options: str, receive_bytes: int) -> Listener:
    client = socket.socket()
    if receive_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    _, listener = await loop.create_connection(Listener, sock=client)
    key = base64.b64encode(os.urandom(16)).decode()
    listener.transport.write(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{options}\r\n".encode()
    )
    await asyncio.wait_for(listener.opened, DEADLINE_S)
    return listener


def _has_joined(listener: Listener) -> bool:
    if listener.close_code is not None or any(b'"error"' in each for each in listener.answers):
        raise RuntimeError(f"closed with {listener.close_code}: {listener.answers}")
    return any(b'"joined"' in each for each in listener.answers)


async def _until(is_so: Any, limit_s: float = DEADLINE_S) -> None:
    async with asyncio.timeout(limit_s):
        while not is_so():  # noqa: ASYNC110 -- whoever it is said by has no time to say so
            await asyncio.sleep(UNTIL_TAKEN_S)


def _frames(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield the whole frames of a server: opcode, content, and where the next one begins."""
    start, end = 0, len(data)
    while end - start >= 2:
        length, head = data[start + 1] & 127, 2
        if length >= 126:
            head = 4 if length == 126 else 10
            if end - start < head:
                return
            length = int.from_bytes(data[start + 2 : start + head], "big")
        first, last = start + head, start + head + length
        if end < last:
            return
        yield data[start] & 15, data[first:last], last
        start = last


def _masked(first_byte: int, content: bytes) -> bytes:
    """Return a frame of a client; the mask changes nothing."""
    length = len(content)
    if length < 126:
        head = bytes((first_byte, 0x80 | length))
    else:
        head = bytes((first_byte, 0x80 | 126)) + length.to_bytes(2, "big")
    return head + bytes(4) + content
