"""Watch: one timer for all connections of a server, in place of one for each request."""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from ...conf import Settings
from ...lifecycle import Container
from ...middleware.edge import CONTAINER
from .held import HeldHeads
from .limits import Limits
from .lines import RefusalLines
from .refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uvicorn.server import ServerState

    from .connection import Connection

__all__ = ["Watch", "watch_of"]

MOST_AT_ONCE: Final = 2
"""Looks that count for one which came late: what a client has sent while the event loop was
blocked has not been read yet, and is no fault of the client's."""

logger = logging.getLogger("fastforge.server")


class Watch:
    """Looks at the connections of one server again and again, as long as there are any.

    A connection notes nothing for it while all goes well: it is seen what a connection waits for,
    and whether that is what it was waiting for the last time.

    Args:
        settings: Those of the project that is served, or that were given.
        has_edge: Whether the application looks at the headers of a request itself.
    """

    def __init__(self, settings: Settings | None, *, has_edge: bool) -> None:
        self.limits = Limits.of(settings)
        self.has_edge = has_edge
        self.held = HeldHeads()
        self.lines = RefusalLines(settings)
        self.refusals = Refusals(self.limits, settings)
        self._connections: set[Connection] = set()
        self._every_s = self.limits.look_every_s
        self._looked_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: Connection) -> None:
        """Look at a connection from now on."""
        self._connections.add(connection)
        if self._timer is None:
            self._looked_at = connection.loop.time()
            self._look_soon(connection.loop)

    def discard(self, connection: Connection) -> None:
        """Look at it no more."""
        self._connections.discard(connection)

    def _look_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(self._every_s, self._look, loop, context=Context())

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        elapsed_s = min(now - self._looked_at, MOST_AT_ONCE * self._every_s)
        self._looked_at = now
        for connection in tuple(self._connections):
            try:
                connection.patience.look(connection, elapsed_s)
            except Exception:
                logger.exception("a connection could not be looked at, and is cut")
                self.discard(connection)
                connection.transport.abort()
        self.lines.tell()
        if self._connections:
            self._look_soon(loop)
        else:
            self._timer = None


_watches: WeakKeyDictionary[ServerState, Watch] = WeakKeyDictionary()


def watch_of(
    server_state: ServerState, app_state: Mapping[str, Any], settings: Settings | None
) -> Watch:
    """Return the watch of a server; it is made for the first connection.

    Args:
        server_state: What all connections of the server share.
        app_state: What the application's lifespan has left: the running project, if it is one.
        settings: Those that were given in place of the project's.
    """
    watch = _watches.get(server_state)
    if watch is None:
        container: Container | None = app_state.get(CONTAINER)
        if settings is None and container is not None:
            settings = container.settings
        watch = _watches[server_state] = Watch(settings, has_edge=container is not None)
    return watch
