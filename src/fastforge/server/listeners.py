"""Listeners: how a server stops to accept without losing a connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import uvicorn

__all__ = ["stop_accepting"]

TURNS_TO_ATTACH: Final = 5
"""Turns of the event loop after which each accepted connection has its protocol (it takes 3)."""


async def stop_accepting(
    server: uvicorn.Server, sockets: Sequence[socket.socket], *, owns_listeners: bool
) -> None:
    """Close the listeners of a server.

    Args:
        server: The server.
        sockets: The sockets that it was given.
        owns_listeners: Whether nobody else listens on them: what waits there is then accepted,
            because the system would reset it.
    """
    loop = asyncio.get_running_loop()
    last = [sock.dup() for sock in sockets] if owns_listeners else []
    if isinstance(loop, asyncio.SelectorEventLoop):
        # It makes a protocol for an accepted connection some turns later, and drops the
        # connection when the listener has been closed meanwhile. (uvloop does both at once.)
        for listener in (each for one in server.servers for each in one.sockets):
            loop.remove_reader(listener.fileno())
        for _ in range(TURNS_TO_ATTACH):
            await asyncio.sleep(0)
    for one in server.servers:
        one.close()
    for sock in sockets:
        sock.close()
    for sock in last:
        with sock:
            await _accept_waiting(server, sock)


async def _accept_waiting(server: uvicorn.Server, listener: socket.socket) -> None:
    config: Any = server.config
    loop = asyncio.get_running_loop()

    def protocol() -> asyncio.Protocol:
        made: asyncio.Protocol = config.http_protocol_class(
            config=config,
            server_state=server.server_state,
            app_state=server.lifespan.state,
        )
        return made

    listener.setblocking(False)
    with suppress(OSError):  # BlockingIOError: nobody waits any more
        while True:
            client, _ = listener.accept()
            client.setblocking(False)
            await loop.connect_accepted_socket(protocol, client, ssl=config.ssl)
