"""Drain: how a server stops without resetting a connection.

In this order: a project is told, so that it is no longer ready and its answers say that their
connection will be closed; no connection is accepted any more; web sockets are closed with 1012; for
`linger_s` connections that were accepted but have not spoken, and idle ones, may still ask and
get an answer with `Connection: close`; requests in flight have `graceful_s`; then they are
cancelled, and the application's lifespan ends.
"""

from __future__ import annotations

import asyncio
import logging
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

import uvicorn

from ..lifecycle import Container
from ..middleware.edge import CONTAINER
from ..signals import SIGNALS
from .lifespan import Lifespan

__all__ = ["Server"]

TICK_S: Final = 0.02
TURNS_TO_ATTACH: Final = 5
"""Turns of the event loop after which each accepted connection has its protocol (it takes 3)."""
CANCELLED_WITHIN_S: Final = 1
GOING_AWAY: Final = (b"connection", b"close")

logger = logging.getLogger("fastforge.server")


class Server(uvicorn.Server):
    """Uvicorn's server with other manners at the start, at signals and at the end.

    Args:
        config: Uvicorn's; its own graceful limit is not used.
        linger_s: How long connections that wait may still ask after the listeners are closed.
        graceful_s: How long requests in flight may go on after that, in seconds.
    """

    lifespan: Lifespan

    def __init__(self, config: uvicorn.Config, *, linger_s: float, graceful_s: float) -> None:
        super().__init__(config)
        self.linger_s = linger_s
        self.graceful_s = graceful_s

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals meanwhile; one that whoever started us ignores stays ignored."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread hears signals: a server in a test's thread
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}
        handled = [number for number in SIGNALS if before[number] is not signal.SIG_IGN]
        for number in handled:
            signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number in handled:
                signal.signal(number, before[number])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.should_exit = True
        # The next one needs no cooperation of ours, whatever blocks the event loop.
        for number in SIGNALS:
            if signal.getsignal(number) == self.handle_exit:
                signal.signal(number, signal.SIG_DFL)
        self._loop.call_soon_threadsafe(self._hear)

    def _hear(self) -> None:
        if self.started:
            self._drain()
        else:
            self.lifespan.interrupt()

    def _drain(self) -> Container | None:
        """Let the application tell its clients to go elsewhere; return it, if it is a project."""
        container: Container | None = self.lifespan.state.get(CONTAINER)
        if container is not None:
            container.draining = True
        return container

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        container = self._drain()
        await self._stop_accepting(sockets or [])
        self._announce(is_told_by_application=container is not None)
        await self._until(self._has_lingered, self.linger_s)
        if not await self._until(self._has_finished, self.graceful_s):
            await self._cancel()
        await self.lifespan.shutdown()

    async def _stop_accepting(self, sockets: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        if isinstance(loop, asyncio.SelectorEventLoop):
            # It makes a protocol for an accepted connection some turns later, and drops the
            # connection when the listener has been closed meanwhile. (uvloop does both at once.)
            for listener in (each for server in self.servers for each in server.sockets):
                loop.remove_reader(listener.fileno())
            for _ in range(TURNS_TO_ATTACH):
                await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for sock in sockets:
            sock.close()

    def _announce(self, *, is_told_by_application: bool) -> None:
        """Let every answer from now on say, and say once, that its connection will be closed."""
        state = self.server_state
        if not is_told_by_application:
            state.default_headers = [*state.default_headers, GOING_AWAY]
        for connection in state.connections:
            # One whose answer has begun is not told; its client may ask once more.
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_started:
                cycle.keep_alive = False

    def _has_lingered(self) -> bool:
        self._close(_is_open_web_socket)
        return not any(map(_is_idle, self.server_state.connections))

    def _has_finished(self) -> bool:
        # What has arrived by now will be read in the next turn, and answered.
        self._close(lambda connection: not (_is_idle(connection) and _has_unread(connection)))
        return not self.server_state.connections and not self.server_state.tasks

    def _close(self, is_wanted: Callable[[Any], bool]) -> None:
        for connection in list(self.server_state.connections):
            if not connection.transport.is_closing() and is_wanted(connection):
                connection.shutdown()

    async def _cancel(self) -> None:
        tasks = set(self.server_state.tasks)
        if tasks:
            logger.warning("%s", _cancelled(len(tasks), self.graceful_s))
        with _no_tracebacks_of_cancellation():
            for task in tasks:
                task.cancel("the process ends")
            if tasks:
                await asyncio.wait(tasks, timeout=CANCELLED_WITHIN_S)
                await asyncio.sleep(TICK_S)  # for what they have written at last
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(TICK_S)
        return True


def _is_open_web_socket(connection: Any) -> bool:
    return bool(getattr(connection, "handshake_complete", False))


def _is_idle(connection: Any) -> bool:
    """Return whether an HTTP connection has not spoken yet, or has had its answer."""
    if not hasattr(connection, "cycle"):
        return False
    return connection.cycle is None or bool(connection.cycle.response_complete)


def _has_unread(connection: Any) -> bool:
    poll = select.poll()
    with suppress(OSError, ValueError):  # it has been closed meanwhile
        poll.register(connection.transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _cancelled(count: int, limit_s: float) -> str:
    requests = "1 request" if count == 1 else f"{count} requests"
    return f"{requests} cancelled: still running {limit_s:g} s after the signal to stop"


@contextmanager
def _no_tracebacks_of_cancellation() -> Iterator[None]:
    """Hide what uvicorn logs of each request that we cancel."""

    def is_news(record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if record.exc_info else None
        return kind is None or not issubclass(kind, asyncio.CancelledError)

    log = logging.getLogger("uvicorn.error")
    log.addFilter(is_news)
    try:
        yield
    finally:
        log.removeFilter(is_news)
