"""Probing: probes are answered in a thread, for a supervisor, which has no event loop."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .health import Ask, answering, health_app

__all__ = ["probed"]


@contextmanager
def probed(sock: socket.socket, *, ready: Ask, started: Ask, live: Ask) -> Iterator[None]:
    """Answer probes on a socket that listens, meanwhile.

    Args:
        sock: The socket; it is closed at the end.
        ready: Gives what is answered at /readyz.
        started: Gives what is answered at /startupz.
        live: Gives what is answered at /livez.
    """
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def answer() -> None:
        async with answering(sock, health_app(ready=ready, started=started, live=live)):
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(answer(),), daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
