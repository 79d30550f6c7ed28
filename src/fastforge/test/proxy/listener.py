"""Listener: the port of a proxy, and its end."""

from __future__ import annotations

import asyncio
from typing import Final

__all__ = ["close_listener"]

ACCEPTING: Final = 10
"""So many turns of the event loop are more than what was accepted takes to become a connection."""


async def close_listener(server: asyncio.Server) -> None:
    """Close a listener, once what it has accepted is a connection.

    asyncio gives up one whose server is closed while it is being made, and leaves its socket open.
    """
    loop = asyncio.get_running_loop()
    for sock in server.sockets:
        loop.remove_reader(sock.fileno())
    for _ in range(ACCEPTING):
        await asyncio.sleep(0)
    server.close()
