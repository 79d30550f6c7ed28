"""A proxy in front of PostgreSQL that counts round trips and can cut its connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit


class CountingProxy:
    """Counts a burst of the client's that follows one of the server's, or starts a connection."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self.round_trips = 0
        self.connections = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        server_reader, server_writer = await asyncio.open_connection(*self._target)
        last = ["server"]
        self._writers |= {writer, server_writer}
        await asyncio.gather(
            self._pump(reader, server_writer, last, "client"),
            self._pump(server_reader, writer, last, "server"),
        )
        self._writers -= {writer, server_writer}

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        last: list[str],
        side: str,
    ) -> None:
        try:
            while data := await reader.read(65536):
                self.round_trips += side == "client" and last[0] == "server"
                last[0] = side
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def cut(self) -> None:
        """Close every connection, as a firewall does."""
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[tuple[str, CountingProxy]]:
    """Give the same database behind a proxy."""
    parts = urlsplit(url)
    proxy = CountingProxy(parts.hostname or "127.0.0.1", parts.port or 5432)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    user, _, _ = parts.netloc.rpartition("@")
    yield urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}")), proxy
    proxy.cut()
    server.close()
