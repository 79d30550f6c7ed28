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
        writer: What writes a frame without a question, while nobody holds it back.
        written: How many messages were written past `send`.
        written_bytes: Their size, with the frames.
    """

    __slots__ = (
        "_is_held", "_protocol", "_write", "close", "close_code", "writer", "written",
        "written_bytes",
    )  # fmt: skip

    def __init__(self, protocol: WebSocketProtocol) -> None:
        self._protocol: WebSocketProtocol | None = protocol
        self.close: Callable[[int, str], None] | None = None
        self.close_code: int | None = None
        self.writer: Callable[[bytes], object] | None = None
        self.written = self.written_bytes = 0
        # Asked for each message to each client: it says in one look what the protocol knows.
        self._write: Callable[[bytes], object] | None = None
        self._is_held = False

    @property
    def waiting_bytes(self) -> int:
        """How much of what was written is still in this process."""
        protocol = self._protocol
        return 0 if protocol is None else protocol.transport.get_write_buffer_size()

    @property
    def is_writable(self) -> bool:
        """Whether the socket is open, and no more waits than may."""
        return self._write is not None

    def write(self, frame: bytes, *, messages: int = 1) -> bool:
        """Write a frame without waiting; False where it may not be written now."""
        write = self._write
        if write is None:
            return False
        write(frame)
        self.written += messages
        self.written_bytes += len(frame)
        return True

    def hold_back(self, is_held: bool) -> None:
        """Let there be no `writer`, or let it be there again."""
        self._is_held = is_held
        self.writer = None if is_held else self._write

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

    # What the protocol calls.

    def look(self) -> None:
        """Look whether the socket is open, and no more waits than may."""
        protocol = self._protocol
        is_writable = protocol is not None and protocol.is_open and protocol.writable.is_set()
        self._write = protocol.transport.write if protocol is not None and is_writable else None
        self.writer = None if self._is_held else self._write

    def release(self) -> None:
        """Know nothing of the connection any more: it is lost."""
        self._protocol = self.close = self.writer = self._write = None
