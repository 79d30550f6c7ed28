"""Transport: what an application may do with its web socket beside receiving and sending."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .protocol import WebSocketProtocol

__all__ = ["SocketTransport"]


class SocketTransport:
    """The `fastforge.transport.Transport` of one web socket, until its connection is lost.

    Args:
        protocol: That of the socket.

    Attributes:
        close: Closes the socket in place of the server, if the application has said so.
        close_code: What the socket has been closed with, by whichever side; 1006: by none.
        written: How many messages were written past `send`.
        written_bytes: Their size, with the frames.
    """

    __slots__ = ("_protocol", "close", "close_code", "written", "written_bytes")

    def __init__(self, protocol: WebSocketProtocol) -> None:
        self._protocol: WebSocketProtocol | None = protocol
        self.close: Callable[[int, str], None] | None = None
        self.close_code: int | None = None
        self.written = self.written_bytes = 0

    @property
    def waiting_bytes(self) -> int:
        """How much of what was written is still in this process."""
        protocol = self._protocol
        return 0 if protocol is None else protocol.transport.get_write_buffer_size()

    @property
    def is_writable(self) -> bool:
        """Whether the socket is open, and no more waits than may."""
        protocol = self._protocol
        return protocol is not None and protocol.is_open and protocol.writable.is_set()

    def write(self, frame: bytes, *, messages: int = 1) -> bool:
        """Write a frame without waiting; False where it may not be written now."""
        protocol = self._protocol
        if protocol is None or not (protocol.writable.is_set() and protocol.is_open):
            return False
        protocol.transport.write(frame)
        self.written += messages
        self.written_bytes += len(frame)
        return True

    async def when_writable(self) -> None:
        """Wait until the client has taken enough, or is gone."""
        protocol = self._protocol
        if protocol is not None:
            await protocol.writable.wait()

    def take_over_closing(self, close: Callable[[int, str], None]) -> None:
        """Be asked to close the socket when the server stops."""
        self.close = close

    def abort(self) -> None:
        """Cut the connection at once."""
        if self._protocol is not None:
            self._protocol.cut("application")

    def release(self) -> None:
        """Know nothing of the connection any more: it is lost."""
        self._protocol = self.close = None
