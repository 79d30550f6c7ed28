"""Bodies: what is done about a request's body besides giving it to the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["NOWHERE", "GentleTransport", "end_unless_asked_for_body"]


class GentleTransport:
    """The transport of a request that may have a body, for its answer.

    Args:
        connection: The connection.
    """

    __slots__ = ("_connection", "is_closing", "write")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.is_closing = connection.transport.is_closing
        self.write = connection.transport.write

    def close(self) -> None:
        """Close the connection, gently where the body has not been read to its end."""
        cycle = self._connection.cycle
        if cycle is not None and cycle.more_body:
            self._connection.end()
        else:
            self._connection.transport.close()


def end_unless_asked_for_body(cycle: Any) -> None:
    """Close the connection if the answer comes before the client was told to send its body.

    Nobody knows whether such a client sends it after that; what it sends next would be taken for
    a request, or a request for its body.
    """
    send = cycle.send

    async def send_after_that(message: Any) -> None:
        if cycle.waiting_for_100_continue:
            cycle.keep_alive = False
        await send(message)

    cycle.send = send_after_that


class _Nowhere(list[tuple[bytes, bytes]]):
    """Where trailers go: uvicorn's own list is that of the headers, and has no end."""

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Drop a header."""


NOWHERE: Final = _Nowhere()
