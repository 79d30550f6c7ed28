"""Transport: what a server of ours lets an application do with a web socket, besides ASGI."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

__all__ = ["TRANSPORT", "Transport", "binary_frame", "text_frame", "transport_of"]

TRANSPORT: Final = "fastforge.transport"
"""Its name among the extensions of a scope."""

_TEXT: Final = 0x81
_BINARY: Final = 0x82
_ONE_BYTE: Final = 126
_TWO_BYTES: Final = 65536


class Transport(Protocol):
    """The connection of one web socket, for an application that sends to many of them.

    ASGI has one way to a client: `send`, which may wait for it. This one says what waits, writes
    what has been framed once for all receivers, and lets go of a client that takes nothing.

    Surprises: it is there under our own server, and under uvicorn with our protocol; elsewhere
    `transport_of` returns None, and `send` has to do.

    ```python
    transport = transport_of(websocket.scope)
    frame = text_frame("hello")
    if transport is None or not transport.write(frame):
        await websocket.send_text("hello")
    ```

    Attributes:
        writer: What writes a frame without a question, for a loop over many sockets; None: `write`
            has to be asked. Whoever calls it counts in the two below.
        written: How many messages were written past `send`, for the access line.
        written_bytes: Their size, with the frames.
    """

    writer: Callable[[bytes], object] | None
    written: int
    written_bytes: int

    @property
    def waiting_bytes(self) -> int:
        """How much of what was written is still in this process; the system may have more."""
        ...

    @property
    def is_writable(self) -> bool:
        """Whether the socket is open, and no more waits than may: `send` would not wait."""
        ...

    @property
    def close_code(self) -> int | None:
        """What the socket was closed with, by whichever side: 1006 by none, None not yet."""
        ...

    def write(self, frame: bytes, *, messages: int = 1) -> bool:
        """Write a frame, or several joined, without waiting.

        Args:
            frame: Of `text_frame` or `binary_frame`. The same bytes may go to many sockets.
            messages: How many there are in it, for the access line.

        Returns:
            False where it was not written: the socket is not open, or too much waits already.
        """
        ...

    def hold_back(self, is_held: bool) -> None:
        """Let there be no `writer`, since something waits that nothing may overtake.

        Args:
            is_held: False: it may be there again.
        """
        ...

    def when_writable(self) -> Awaitable[None]:
        """Wait until the client has taken enough, or is gone; ask `is_writable` after it."""
        ...

    def take_over_closing(self, close: Callable[[int, str], None]) -> None:
        """Be asked to close the socket when the server stops, in place of having it closed.

        The server spreads the moments at which it asks over `SERVER.drain_s`, over all sockets of
        the process alike.

        Args:
            close: Is called once, with a close code and a reason, and returns at once. Whoever is
                called sends what is still to be sent, and then `websocket.close`; a socket that
                is open after `SERVER.websocket_close_s` is closed all the same.
        """
        ...

    def abort(self) -> None:
        """Cut the connection at once, with what waits for the client; the handler hears 1006."""
        ...


def transport_of(scope: Mapping[str, Any]) -> Transport | None:
    """Return the transport of a web socket; None: its server has none.

    Args:
        scope: That of the socket, as ASGI has it.
    """
    extensions: Mapping[str, Any] = scope.get("extensions") or {}
    transport: Transport | None = extensions.get(TRANSPORT)
    return transport


def text_frame(text: str | bytes) -> bytes:
    """Return the frame of a text message, as a server sends it.

    Args:
        text: The message, or its bytes in UTF-8.
    """
    return _frame(_TEXT, text.encode() if isinstance(text, str) else text)


def binary_frame(content: bytes) -> bytes:
    """Return the frame of a binary message, as a server sends it."""
    return _frame(_BINARY, content)


def _frame(first_byte: int, content: bytes) -> bytes:
    length = len(content)
    if length < _ONE_BYTE:
        return bytes((first_byte, length)) + content
    if length < _TWO_BYTES:
        return struct.pack("!BBH", first_byte, 126, length) + content
    return struct.pack("!BBQ", first_byte, 127, length) + content
