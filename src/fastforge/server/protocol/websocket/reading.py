"""Reading: what a client sends, as far as the application keeps up with it."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode

from ....conf import Settings
from .inbox import Flag, Inbox
from .terms import terms_of

__all__ = ["ReadingProtocol"]

SLICE_BYTES: Final = 16 * 1024
"""How much is parsed before it is asked whether the application keeps up: in what an event loop
reads at once, a quarter of a MiB, there is room for forty thousand messages."""


class ReadingProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's web socket, with a bound for what has been read and not received.

    Uvicorn stops to read when one message waits, and then sees no answer to its pings: a client
    whose handler only sends is taken for dead. Here reading goes on up to a number of bytes.

    Surprises: what waits in `queue` is counted in bytes. Messages and pings that come faster than
    they are taken cost the client its own time, and nobody's memory.

    Attributes:
        terms: What it may take.
    """

    settings_given: ClassVar[Settings | None] = None

    # As they are here, whatever uvicorn says.
    conn: Any
    frames: list[Any]
    queue: Any
    read_paused: Any
    scope: Any
    writable: Any

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.terms = terms = terms_of(server_state, app_state, config, self.settings_given)
        super().__init__(terms.config, server_state, app_state, _loop)
        self.app, self.config = config.loaded_app, config  # the terms' copy may be older
        self.queue, self.writable = Inbox(self.loop), Flag(self.loop, is_up=True)
        self._pong = self._unread = b""

    def data_received(self, data: bytes) -> None:
        if self.read_paused:  # a transport may have had more at hand
            self._unread += data
            return
        if len(data) <= SLICE_BYTES:
            self._parse(data)
            return
        for start in range(0, len(data), SLICE_BYTES):
            self._parse(data[start : start + SLICE_BYTES])
            if self.read_paused:
                self._unread = data[start + SLICE_BYTES :]
                return

    def _parse(self, data: bytes) -> None:
        if self.transport.is_closing():  # what follows a mistake is none of ours
            return
        self.conn.receive_data(data)
        self.handle_events()  # what comes before a mistake counts, where uvicorn drops it
        if self.conn.parser_exc is not None and not self.transport.is_closing():
            self.handle_parser_exception()
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # Its parser refuses headers that the server takes, and uvicorn does not look.
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_cont(self, event: Any) -> None:
        # One growing buffer: a message of a million bytes may come in as many frames.
        if not isinstance(self.frames[0], bytearray):
            self.frames = [bytearray(self.frames[0])]
        self.frames[0] += event.data
        if event.fin:
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        (content,), self.frames = self.frames, []
        if self.close_sent:
            return
        message: dict[str, Any] = {"type": "websocket.receive"}
        if self.curr_msg_data_type == "text":
            try:
                message["text"] = content.decode()
            except UnicodeDecodeError:
                self.conn.fail(CloseCode.INVALID_DATA, "text is not UTF-8")
                self.handle_parser_exception()
                return
        else:
            message["bytes"] = bytes(content)
        self.queue.put_nowait(message, len(content))
        if self.queue.size_bytes > self.terms.inbox_bytes and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def handle_ping(self) -> None:
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)
        else:  # whoever reads nothing needs no more than the answer to the last one
            self._pong = pong

    def resume_writing(self) -> None:
        pong, self._pong = self._pong, b""
        if pong and not self.close_sent:
            self.transport.write(pong)
        super().resume_writing()

    async def receive(self) -> Any:
        message = await self.queue.get()
        if self.read_paused and self.queue.size_bytes <= self.terms.inbox_bytes // 2:
            self.go_on_reading()
        return message

    def go_on_reading(self) -> None:
        """Read again, what has come already first."""
        self.read_paused = False
        unread, self._unread = self._unread, b""
        if unread:
            self.data_received(unread)
        if not self.read_paused:
            self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._pong = self._unread = b""
