"""Many clients at once, some of whom leave in the middle of what they do."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator

KEPT = "Host: localhost\r\n"
EMPTY = "Host: localhost\r\nContent-Length: 0\r\n"
BODY = "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"

Ask = Callable[[int], str]

# What is asked in turn: nothing but the way through, a read, a write, an error, a stream.
REQUESTS: tuple[Ask, ...] = (
    lambda number: f"GET /ready HTTP/1.1\r\n{KEPT}\r\n",
    lambda number: f"GET /api/readers/{number} HTTP/1.1\r\n{KEPT}\r\n",
    lambda number: f"GET /api/first HTTP/1.1\r\n{KEPT}\r\n",
    lambda number: f"GET /nowhere/{number} HTTP/1.1\r\n{KEPT}\r\n",
    lambda number: f"POST /api/notes/n{number} HTTP/1.1\r\n{EMPTY}\r\n",
    lambda number: f"GET /api/clubs/7/members/x/books/{number} HTTP/1.1\r\n{KEPT}\r\n",
    lambda number: f"GET /api/some HTTP/1.1\r\n{KEPT}\r\n",
)

# How somebody leaves: what is sent, and whether the beginning of an answer is waited for.
WAYS_TO_LEAVE: dict[str, tuple[Ask, bool]] = {
    "without a word": (lambda number: "", False),
    "in the headers": (lambda number: "GET /ready HTTP/1.1\r\nHost: loc", False),
    "before the body": (lambda number: f"POST /api/upload/x HTTP/1.1\r\n{BODY}\r\n", False),
    "in the body": (lambda number: f"POST /api/parts/x HTTP/1.1\r\n{BODY}\r\nhalf", False),
    "before the answer": (lambda number: f"GET /api/short HTTP/1.1\r\n{KEPT}\r\n", False),
    "before a commit": (
        lambda number: f"POST /api/short-note/s{number} HTTP/1.1\r\n{EMPTY}\r\n",
        False,
    ),
    "in a stream": (lambda number: f"GET /api/silence/x HTTP/1.1\r\n{KEPT}\r\n", True),
    "in a stream of rows": (lambda number: f"GET /api/ticks/x HTTP/1.1\r\n{KEPT}\r\n", True),
    "in events": (lambda number: f"GET /api/events/x HTTP/1.1\r\n{KEPT}\r\n", True),
}


class Crowd:
    """Sends requests on kept connections; one in twenty comes on its own connection and leaves.

    Attributes:
        answered: How many answers there were of each status.
        left: How many left in each way.
    """

    def __init__(self, port: int) -> None:
        self.answered: Counter[int] = Counter()
        self.left: Counter[str] = Counter()
        self._port = port
        self._numbers = itertools.count()
        self._ways = itertools.cycle(WAYS_TO_LEAVE)
        self._resets = itertools.cycle((False, True, False))

    async def send(self, requests: int, *, clients: int = 16) -> None:
        """Send so many requests, as many at the same time as there are clients."""
        turns = iter(range(requests))
        await asyncio.gather(*(self._client(turns) for _ in range(clients)))

    async def _client(self, turns: Iterator[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        for _ in turns:
            number = next(self._numbers)
            if number % 20 == 19:
                await self._leave(number)
                continue
            writer.write(REQUESTS[number % len(REQUESTS)](number).encode())
            self.answered[await _answer(reader)] += 1
        writer.close()
        await writer.wait_closed()

    async def _leave(self, number: int) -> None:
        way = next(self._ways)
        ask, waits = WAYS_TO_LEAVE[way]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(ask(number).encode())
        if waits:
            await reader.readuntil(b"tick")
        if next(self._resets):
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()
        self.left[way] += 1


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one whole answer, and return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"transfer-encoding: chunked" in head:
        await reader.readuntil(b"\r\n0\r\n\r\n")
    else:
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
    return int(head.split(b" ", 2)[1])
