"""Link: one connection of a client, and the one that the proxy has to the service for it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Direction", "Link"]

Direction = Literal["to_client", "to_server"]


@dataclass(eq=False, slots=True)
class Link:
    """A pair of connections that end together.

    Attributes:
        client: To the client.
        server: To the service, once it is there.
        last: Where the last bytes went.
        left: How many bytes may still pass in a direction, where that is limited.
    """

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    last: Direction = "to_client"
    left: dict[Direction, int] = field(default_factory=dict)

    def _writers(self) -> list[asyncio.StreamWriter]:
        return [self.client] if self.server is None else [self.client, self.server]

    def reset(self) -> None:
        """End both at once, and let both ends know that it was no good-bye."""
        for writer in self._writers():
            _reset(writer)

    def close(self) -> None:
        """End both when what was written has gone out."""
        for writer in self._writers():
            writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close at once and say so: without it a closing connection says good-bye first."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
