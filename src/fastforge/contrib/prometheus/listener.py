"""Listener: one of the processes of a server shows the page, on a port of its own, in a thread."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from starlette.types import ASGIApp

from ...worker.health import answering
from .folder import Folder

__all__ = ["Listener"]

logger = logging.getLogger("fastforge.contrib.prometheus")

LOOK_EVERY_S: Final = 0.1
"""How long after the end of the process that has shown the page another one does."""
PATIENCE_S: Final = 3.0
"""How long the port may be somebody else's before that is told: one that ends may still have it."""
BACKLOG: Final = 64


class Listener(threading.Thread):
    """Shows the page as soon as no other process of the same folder does.

    An event loop of its own answers, in a thread: it does so while that of the process is blocked,
    and until the process ends.

    Args:
        app: What answers.
        host: The address.
        port: The port.
        folder: Where the processes meet; None where this one is alone.
    """

    def __init__(self, app: ASGIApp, *, host: str, port: int, folder: Folder | None) -> None:
        super().__init__(name="fastforge-metrics-page", daemon=True)
        self._app = app
        self._host = host
        self._port = port
        self._folder = folder
        self._over = threading.Event()
        self._wake: Callable[[], object] | None = None

    def run(self) -> None:
        """Wait for the place of the one that answers, then answer, until `close`."""
        while not self._over.is_set():
            lock = self._folder.lead() if self._folder else None
            if lock is not None or self._folder is None:
                try:
                    self._listen()
                finally:
                    if lock is not None:
                        lock.release()
            self._over.wait(LOOK_EVERY_S)

    def close(self) -> None:
        """Answer no more, and leave the place to another process."""
        self._over.set()
        if self._wake is not None:
            with suppress(RuntimeError):  # it has ended meanwhile
                self._wake()
        self.join()

    def _listen(self) -> None:
        began, has_told = time.monotonic(), False
        while not self._over.is_set():
            try:
                sock = _bound(self._host, self._port)
            except OSError as error:
                if not has_told and time.monotonic() - began > PATIENCE_S:
                    has_told = True
                    self._tell(error)
                self._over.wait(LOOK_EVERY_S)
                continue
            asyncio.run(self._answer(sock))

    async def _answer(self, sock: socket.socket) -> None:
        ended = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, ended.set)
        async with answering(sock, self._app):
            if not self._over.is_set():  # else nobody wakes it any more
                await ended.wait()

    def _tell(self, error: OSError) -> None:
        logger.warning(
            "nobody can read the metrics of this process: %s:%d cannot be listened on: %s;"
            " set PROMETHEUS.port, or worker_port",
            self._host,
            self._port,
            error.strerror,
        )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
