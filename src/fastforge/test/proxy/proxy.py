"""Proxy: a stretch of network in front of a service, that counts what passes and that can fail.

It forwards bytes, so it does for PostgreSQL, Redis, SMTP and HTTP alike, encrypted or not. It runs
in a thread of its own: a plain `with`, in async tests and in others.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self, get_args

from anyio.from_thread import BlockingPortal, start_blocking_portal

from ...exceptions import ComponentError
from .links import Direction, Link
from .listener import close_listener
from .targets import LOCALHOST, moved, upstream_of

__all__ = ["Proxy"]

CHUNK_BYTES: Final = 65536
SLICE_S: Final = 0.02
"""What a limited bandwidth forwards at a time, as the time that it takes."""


class Proxy:
    """A proxy on a free port of 127.0.0.1, which forwards to one service.

    ```python
    with Proxy("redis://127.0.0.1:6379/0") as proxy:
        store = Redis.from_url(proxy.url)
        await store.get("a")
        assert proxy.round_trips == 1
        proxy.reset()                       # every connection, as a router that restarts
        proxy.slow(latency_s=0.2)
        proxy.heal()
    ```

    Surprises: a fault is there when its method returns. Faults add up until `heal`, which ends all
    of them. A service behind `refuse` keeps the connections that it has; `reset` ends those.

    Args:
        target: Where the service is: a URL, a host and a port, or the path of a Unix socket.

    Attributes:
        connections: How many clients have connected, also those that are gone.
        round_trips: How often a client has spoken and waited: bursts of its own that begin a
            connection or follow one of the service's.
        bytes_to_server: What clients have sent and the service has been given.
        bytes_to_client: What the service has sent and clients have been given.

    Raises:
        ComponentError: The URL has no port, and its scheme none of its own.
    """

    def __init__(self, target: str | tuple[str, int] | Path) -> None:
        self._target = target
        self._upstream = upstream_of(target)
        self.connections = self.round_trips = 0
        self.bytes_to_server = self.bytes_to_client = 0
        self.port = 0
        self._latency_s = 0.0
        self._bytes_per_s: float | None = None
        self._cuts: dict[Direction, int] = {}
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._stack = ExitStack()

    # --- where it is ---

    @property
    def address(self) -> tuple[str, int]:
        """The host and port that clients connect to."""
        return LOCALHOST, self.port

    @property
    def url(self) -> str:
        """The URL of the service, with the proxy's host and port; without one `tcp://HOST:PORT`."""
        return moved(self._target, LOCALHOST, self.port)

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return len(self._links)

    # --- what may happen to a network ---

    def refuse(self) -> None:
        """Refuse new connections, as a host on which nothing listens; those that are there stay."""
        self._portal.call(self._refuse)

    def blackhole(self) -> None:
        """Let nothing through and close nothing: packets are lost on the way, in silence.

        New connections are accepted, and hear nothing. What was sent meanwhile arrives at `heal`.
        """
        self._portal.call(self._passing.clear)

    def reset(self) -> None:
        """Reset every connection that is there, at both ends; new ones are served."""
        self._portal.call(self._reset)

    def slow(self, *, latency_s: float = 0.0, bytes_per_s: float | None = None) -> None:
        """Delay what passes, from now on and in both directions.

        Args:
            latency_s: How much later each burst arrives.
            bytes_per_s: How many bytes of a connection pass in a second; None for any number.
        """
        if bytes_per_s is not None and bytes_per_s <= 0:
            raise ComponentError(
                f"a proxy of {bytes_per_s:g} bytes a second would never forward anything",
                code="test.E005",
                hint="use blackhole() for a network that lets nothing through",
            )

        def begin() -> None:
            self._latency_s, self._bytes_per_s = latency_s, bytes_per_s

        self._portal.call(begin)

    def cut_after(self, count: int, direction: Direction = "to_client") -> None:
        """Close each connection at both ends once so many more bytes have passed.

        Exactly that many arrive, and then the end of the stream: half an answer. A connection that
        is there counts from now, a new one from its beginning.

        Args:
            count: How many bytes; 0 closes at the first that comes.
            direction: `to_client` counts answers, `to_server` requests.
        """
        if direction not in get_args(Direction):
            raise ComponentError(
                f"no such direction: {direction!r}",
                code="test.E006",
                hint=f"one of: {', '.join(get_args(Direction))}",
            )

        def begin() -> None:
            self._cuts[direction] = count
            for link in self._links:
                link.left[direction] = count

        self._portal.call(begin)

    def heal(self) -> None:
        """End every fault."""
        self._portal.call(self._heal)

    # --- its life ---

    def __enter__(self) -> Self:
        """Begin to listen."""
        with ExitStack() as stack:
            self._portal: BlockingPortal = stack.enter_context(start_blocking_portal())
            self._portal.call(self._begin)
            stack.callback(self._portal.call, self._end)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection and the port."""
        self._stack.close()

    async def _begin(self) -> None:
        self._passing = asyncio.Event()
        self._passing.set()
        self._placeholder: socket.socket | None = None
        await self._listen()

    async def _listen(self) -> None:
        self._server: asyncio.Server | None = await asyncio.start_server(
            self._serve, LOCALHOST, self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        if self._server is not None:
            await close_listener(self._server)
        self._free_port()
        tasks = [*self._links.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _refuse(self) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        await close_listener(server)
        # Nobody else is given the port meanwhile.
        self._placeholder = socket.socket()
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._placeholder.bind((LOCALHOST, self.port))

    def _free_port(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None

    async def _heal(self) -> None:
        self._latency_s, self._bytes_per_s = 0.0, None
        self._cuts.clear()
        for link in self._links:
            link.left.clear()
        self._passing.set()
        if self._server is None:
            self._free_port()
            await self._listen()

    def _reset(self) -> None:
        for link in self._links:
            link.reset()

    # --- one connection ---

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        link = Link(client=writer, left=dict(self._cuts))
        self._links[link] = task
        self.connections += 1
        try:
            await self._passing.wait()
            await self._forward(link, reader)
        except (OSError, asyncio.CancelledError):  # the latter at the end of the block
            link.reset()
        finally:
            del self._links[link]
            link.close()

    async def _forward(self, link: Link, reader: asyncio.StreamReader) -> None:
        answers, link.server = await self._connect()
        requests = asyncio.ensure_future(self._pump(link, "to_server", reader, link.server))
        replies = asyncio.ensure_future(self._pump(link, "to_client", answers, link.client))
        try:
            await asyncio.gather(requests, replies)
        finally:
            requests.cancel()
            replies.cancel()
            await asyncio.gather(requests, replies, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, Path):
            return await asyncio.open_unix_connection(str(self._upstream))
        return await asyncio.open_connection(*self._upstream)

    async def _pump(
        self,
        link: Link,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        while data := await reader.read(self._chunk_bytes()):
            await self._passing.wait()
            await self._delayed(len(data))
            left = link.left.get(direction)
            passing = data if left is None else data[:left]
            self._count(link, direction, len(passing))
            writer.write(passing)
            await writer.drain()
            if left is not None:
                link.left[direction] = left - len(passing)
                if left <= len(data):
                    link.close()
                    return
        await self._passing.wait()
        with contextlib.suppress(OSError):
            writer.write_eof()  # the other direction may go on

    def _chunk_bytes(self) -> int:
        if self._bytes_per_s is None:
            return CHUNK_BYTES
        return max(1, min(CHUNK_BYTES, int(self._bytes_per_s * SLICE_S)))

    async def _delayed(self, count: int) -> None:
        transfer_s = count / self._bytes_per_s if self._bytes_per_s else 0.0
        if self._latency_s or transfer_s:
            await asyncio.sleep(self._latency_s + transfer_s)
            await self._passing.wait()

    def _count(self, link: Link, direction: Direction, count: int) -> None:
        """Count before it passes, so that who has an answer finds its round trip counted."""
        if direction == "to_server":
            self.bytes_to_server += count
            self.round_trips += link.last == "to_client"
        else:
            self.bytes_to_client += count
        link.last = direction
