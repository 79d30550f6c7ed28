"""Forks: engines that were used before their process was forked."""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from socket import socketpair
from types import FrameType
from typing import Any, Final, cast
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import Engine

from ...._utils import is_written_by_the_user
from .watched import WatchedPool

__all__ = ["Origin", "guard_forks"]

logger = logging.getLogger("fastforge.contrib.db")


class Origin:
    """Who made an engine, and whether that was in another process.

    Args:
        module: The module of the user's that did; empty where no such one is running.
    """

    __slots__ = ("_connections", "_forked", "module")

    def __init__(self, module: str) -> None:
        self.module = module
        self._connections: WeakSet[Any] = WeakSet()
        self._forked = False

    def connected(self, connection: Any) -> None:
        """Note a new connection of the engine, the driver's own object."""
        self._connections.add(connection)

    def forked(self) -> None:
        """Note that the process is a child of the one in which the engine was used."""
        self._forked = True
        for connection in self._connections:
            _silence(connection)
        self._connections = WeakSet()

    def warn_if_forked(self) -> None:
        """Warn once, in a child that uses the engine after all."""
        if not self._forked:
            return
        self._forked = False
        logger.warning(
            "%s made a database engine and used it before this process was forked; its connections"
            " stay with the parent, and this process makes its own. Open it where the application"
            " starts, not when a module is imported",
            self.module or "some module",
        )


_engines: Final[WeakKeyDictionary[Engine, Origin]] = WeakKeyDictionary()
"""The engines of this process. A fork concerns all of them, whoever made them."""


def guard_forks(engine: Engine) -> Origin:
    """Let no child of this process use the connections of an engine.

    Two processes on one connection read each other's answers. So a child begins with an empty
    pool, and what the parent has stays open and the parent's.

    Returns:
        Where the engine was made.
    """
    _guard_children()
    origin = _engines[engine] = Origin(_module_of_the_user())
    return origin


@cache
def _guard_children() -> None:
    """Once in a process, and with its first engine: importing a module does nothing."""
    os.register_at_fork(after_in_child=_forget_connections)


def _forget_connections() -> None:
    for engine, origin in list(_engines.items()):
        pool = cast(WatchedPool, engine.pool)
        if pool.checkedin() or pool.checkedout() > 0:
            engine.dispose(close=False)
            origin.forked()


def _silence(connection: Any) -> None:
    """Put a dead socket in place of the parent's, which a child has too.

    asyncpg says goodbye to the server when a connection is garbage, and takes its socket out of
    the event loop's list, which the kernel keeps once for both processes.
    """
    socket = _socket_of(connection)
    if socket is None or socket.fileno() < 0:
        return
    ours, theirs = socketpair()
    with ours, theirs:
        os.dup2(ours.fileno(), socket.fileno(), inheritable=False)


def _socket_of(connection: Any) -> Any:
    """Return what has the descriptor of a connection; None where it has no socket (any more)."""
    transport = getattr(connection, "_transport", None)
    if transport is not None:  # asyncpg has no public way to it
        return transport.get_extra_info("socket")
    is_open = hasattr(connection, "fileno") and not connection.closed
    return connection if is_open else None


def _module_of_the_user() -> str:
    """Return the innermost module of the user's that is running; an event loop may be between."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if is_written_by_the_user(frame.f_code.co_filename):
            return str(frame.f_globals.get("__name__", ""))
        frame = frame.f_back
    return ""
