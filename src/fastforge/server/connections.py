"""Connections: what can be told of the connections that uvicorn has open, and done with them."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

__all__ = [
    "close_connections",
    "has_unread",
    "is_idle",
    "is_in_handshake",
    "is_open_web_socket",
    "unfinished",
]


def is_open_web_socket(connection: Any) -> bool:
    """Return whether a connection is a web socket that was accepted, and is not being closed."""
    if not getattr(connection, "handshake_complete", False):
        return False
    if getattr(connection, "close_sent", False):
        return False
    return not (getattr(connection, "is_leaving", False) or connection.transport.is_closing())


def is_in_handshake(connection: Any) -> bool:
    """Return whether a connection is a web socket that the application has not accepted yet."""
    return not getattr(connection, "handshake_complete", True)


def is_idle(connection: Any) -> bool:
    """Return whether an HTTP connection has not spoken yet, or has had its answer."""
    if not hasattr(connection, "cycle"):
        return False
    return connection.cycle is None or bool(connection.cycle.response_complete)


def has_unread(connection: Any) -> bool:
    """Return whether a client has sent what has not been read yet."""
    poll = select.poll()
    with suppress(OSError, ValueError):  # it has been closed meanwhile
        poll.register(connection.transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))


def unfinished(connections: Iterable[Any]) -> list[Any]:
    """Return uvicorn's cycles, each a request and its answer, that have not come to their end.

    Of pipelined requests it is the last one.
    """
    cycles = (getattr(connection, "cycle", None) for connection in list(connections))
    return [
        cycle
        for cycle in cycles
        if cycle is not None and not (cycle.response_complete or cycle.disconnected)
    ]


def close_connections(connections: Iterable[Any], is_wanted: Callable[[Any], bool]) -> None:
    """Let uvicorn close connections: a web socket with 1012, one that answers after its answer."""
    for connection in list(connections):
        if not connection.transport.is_closing() and is_wanted(connection):
            # A web socket of ours takes `shutdown` for that of a server which tells all at once.
            getattr(connection, "leave", connection.shutdown)()
