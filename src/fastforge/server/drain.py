"""Drain: how a server stops without resetting a connection.

In this order: a project is told, so that it is no longer ready, its answers say that their
connection will be closed, and new web sockets are refused; for `drain_s` connections are accepted
all the same; then no connection is accepted any more; for `linger_s` connections that were accepted
but have not spoken, and idle ones, may still ask and get an answer with `Connection: close`;
requests in flight have `graceful_s`; what is left then is answered with 503 or cut, and the
application's lifespan ends. From the beginning on the open web sockets are closed with 1012, one
after the other over `spread_s`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from types import FrameType
from typing import Any, Final

import uvicorn

from ..lifecycle import Container
from ..middleware.edge import CONTAINER
from ..signals import SIGNALS, end_at_signal
from .connections import (
    close_connections,
    has_unread,
    is_idle,
    is_in_handshake,
    is_open_web_socket,
    unfinished,
)
from .farewell import end_requests
from .gate import Gate
from .interruption import Interruption
from .lifespan import Lifespan
from .listeners import stop_accepting

__all__ = ["Server"]

TICK_S: Final = 0.02
SOCKETS_EVERY_S: Final = 0.1
"""There may be ten thousand of them to look at."""
GOING_AWAY: Final = (b"connection", b"close")

logger = logging.getLogger("fastforge.server")


class Server(uvicorn.Server):
    """Uvicorn's server with other manners at the start, at signals and at the end.

    Args:
        config: Uvicorn's; its own graceful limit and request limit are not used.
        drain_s: How long connections are still accepted after SIGTERM, in seconds.
        spread_s: Over how long web sockets are closed after it; None: over `drain_s`.
        linger_s: How long connections that wait may still ask after the listeners are closed.
        graceful_s: How long requests in flight may go on after that, in seconds.
        max_requests: After how many requests it stops by itself, in the same way.
        owns_listeners: Whether nobody else listens on the same sockets: what has come by the time
            when they are closed is then accepted, where else others would.
        ends_process: Whether the process has nothing else to do. It then ends within a second
            when a start that was interrupted does not.

    Attributes:
        accepts_while_draining: Whether connections are accepted while it drains. Where others
            go on listening on the same sockets it is better they who do.
    """

    lifespan: Lifespan

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        drain_s: float = 0,
        spread_s: float | None = None,
        linger_s: float,
        graceful_s: float,
        max_requests: int | None = None,
        owns_listeners: bool = False,
        ends_process: bool = False,
    ) -> None:
        super().__init__(config)
        if not config.loaded:
            config.load()
        self.drain_s = drain_s
        self.spread_s = drain_s if spread_s is None else spread_s
        self.linger_s = linger_s
        self.graceful_s = graceful_s
        self.ends_process = ends_process
        self.accepts_while_draining = True
        self._accepts = True
        self._owns_listeners = owns_listeners
        self._max_requests = max_requests
        self._draining_since: float | None = None
        self._sockets_looked_at = 0.0
        self._sockets_seen = 0

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets or []
        await super().serve(sockets)

    # --- signals ---

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
        # The next one needs no cooperation of ours, whatever blocks the event loop.
        for number in SIGNALS:
            if signal.getsignal(number) == self.handle_exit:
                end_at_signal(number)
        if self.started:
            # Ctrl-C is a person's, who has no load balancer that would have to notice.
            drain_s = 0 if sig == signal.SIGINT else None
            # In a context of its own: a signal interrupts a request, and is none of its doings.
            self._loop.call_soon_threadsafe(self.drain, drain_s, context=Context())
            return
        self.should_exit = True
        interruption = Interruption(self._interrupt, ends_process=self.ends_process)
        interruption.begin(self._loop)

    def _interrupt(self) -> None:
        self.lifespan.interrupt()  # asked for here: a signal may come before there is one

    # --- the timeline ---

    def drain(self, drain_s: float | None = None) -> None:
        """Begin to stop; more than once is the same as once. Call it on the event loop.

        Args:
            drain_s: How long connections are still accepted, and web sockets closed; as it was
                set unless given.
        """
        if self._draining_since is not None:
            return
        self._draining_since = time.monotonic()
        if drain_s is not None:
            self.drain_s = self.spread_s = drain_s
        if not (self.server_state.total_requests or self.server_state.connections):
            self.drain_s = 0  # nobody can have heard of it yet, not even a load balancer
        container: Container | None = self.lifespan.state.get(CONTAINER)
        if container is not None:
            container.drain()
        else:
            application: Any = self.config.loaded_app
            # New web sockets ask for it; connections that are open keep what they had at first.
            self.config.loaded_app = Gate(application)
            # What uvicorn makes its default headers of once a second, and those of this second.
            self.config.encoded_headers = [*self.config.encoded_headers, GOING_AWAY]
            self.server_state.default_headers = [*self.server_state.default_headers, GOING_AWAY]
        self._tell_connections()
        if self.drain_s:
            logger.info("stopping: connections are still accepted for %g s", self.drain_s)

    async def on_tick(self, counter: int) -> bool:
        await super().on_tick(counter)
        if self.should_exit:
            return True
        if self._draining_since is None:
            limit = self._max_requests
            if limit is not None and self.server_state.total_requests >= limit:
                logger.info("stopping after %d requests", self.server_state.total_requests)
                self.drain()
            return False
        if not self.accepts_while_draining:
            await self._stop_accepting(self._sockets)
        left_s = self._draining_since + self.drain_s - time.monotonic()
        self._close_web_sockets()
        # Without a listener there is nobody to wait for but those who are connected.
        return left_s <= 0 or not (self._accepts or self.server_state.connections)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.drain()
        await self._stop_accepting(sockets or [])
        self._tell_connections()
        await self._until(self._has_lingered, self.linger_s)
        if not await self._until(self._has_finished, self.graceful_s):
            await end_requests(self.server_state, graceful_s=self.graceful_s)
        await self.lifespan.shutdown()

    async def _stop_accepting(self, sockets: list[socket.socket]) -> None:
        if self._accepts:
            self._accepts = False
            await stop_accepting(self, sockets, owns_listeners=self._owns_listeners)

    def _tell_connections(self) -> None:
        """Let the answers that are to come say that their connection will be closed."""
        for cycle in unfinished(self.server_state.connections):
            # One whose answer has begun is not told; its client may ask once more.
            if not cycle.response_started:
                cycle.keep_alive = False

    def _close_web_sockets(self) -> None:
        """Close as many as must be closed by now, so that not all clients come back at once."""
        now = time.monotonic()
        if self._draining_since is None or now < self._sockets_looked_at + SOCKETS_EVERY_S:
            return
        self._sockets_looked_at = now
        left_s = self._draining_since + self.spread_s - now
        sockets = list(filter(is_open_web_socket, self.server_state.connections))
        self._sockets_seen = max(self._sockets_seen, len(sockets))
        stay = math.floor(self._sockets_seen * left_s / self.spread_s) if left_s > 0 else 0
        for connection in sockets[: max(0, len(sockets) - stay)]:
            close_connections([connection], is_open_web_socket)

    def _has_lingered(self) -> bool:
        self._close_web_sockets()
        return not any(map(is_idle, self.server_state.connections))

    def _has_finished(self) -> bool:
        self._close_web_sockets()
        # What has arrived by now will be read in the next turn, and answered.
        close_connections(self.server_state.connections, _is_done)
        return not self.server_state.connections and not self.server_state.tasks

    async def _until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(TICK_S)
        return True


def _is_done(connection: object) -> bool:
    if is_in_handshake(connection):  # it would be refused with a 500
        return False
    if is_open_web_socket(connection):  # its turn may be later
        return False
    return not (is_idle(connection) and has_unread(connection))
