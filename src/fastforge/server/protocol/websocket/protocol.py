"""Protocol: uvicorn's web socket, which ends when it should and takes no more than it may."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any, Final

import uvicorn
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.server import ServerState
from websockets.frames import CloseCode
from websockets.protocol import State

from ....observability.metrics.recording import record_cut
from ....transport import TRANSPORT, binary_frame, text_frame
from ...connections import has_unread
from ..wire import cut, limit_send_buffer, untaken_bytes
from .reading import ReadingProtocol
from .stall import Stall
from .transport import SocketTransport

__all__ = ["WebSocketProtocol"]

RESTART: Final = "restart"
"""Why a server that stops closes its sockets."""
LATE_S: Final = 0.5
"""How long we take ourselves to read what a client has sent, when we are late."""
LONGEST_FLUSH_S: Final = 60.0
"""How long a client may take over the last that was written, however steadily it does."""

logger = logging.getLogger("fastforge.server")


class WebSocketProtocol(ReadingProtocol):
    """One web socket, within the terms of `SERVER.websocket_...`.

    `manage runserver` and our worker for gunicorn use it. By hand:

    ```console
    $ uvicorn --ws fastforge.server.protocol:WebSocketProtocol shop.asgi:app
    ```

    Surprises: it is built on names of uvicorn's that nobody has promised to keep, which
    `private.py` lists.

    Attributes:
        handle: What the application has of it.
        is_leaving: Whether it has been told to end, as the server stops.
        close_code: What the socket has been closed with, by whichever side.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.handle = SocketTransport(self)
        self.is_leaving = False
        self.close_code: int | None = None
        self._has_closed = False
        self._stall: Stall | None = None

    @property
    def is_open(self) -> bool:
        """Whether messages may be sent: it was accepted, and neither side has closed it."""
        return self.conn.state is State.OPEN and self.close_code is None

    # What the transport and the parser call.

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=self.terms.write_buffer_bytes)
        if self.terms.send_buffer_bytes:
            limit_send_buffer(transport, self.terms.send_buffer_bytes)

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch_no_stall()
        if self.handshake_complete:
            self._hear_end(CloseCode.ABNORMAL_CLOSURE)
        super().connection_lost(exc)
        self.handle.release()  # a circle, which the garbage collector would have to find

    def pause_writing(self) -> None:
        super().pause_writing()
        self.handle.look()
        if self.terms.send_timeout_s and self._stall is None:
            self._watch_stall(self.terms.send_timeout_s)

    def resume_writing(self) -> None:
        if not self.transport.is_closing():
            self._watch_no_stall()
        super().resume_writing()
        self.handle.look()

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            self.scope["extensions"][TRANSPORT] = self.handle

    def handle_close(self, event: Any) -> None:
        if not self.close_sent:
            self._note_end(self.conn.close_rcvd.code)
            self.stop_keepalive()
        super().handle_close(event)
        self._end()

    def handle_parser_exception(self) -> None:
        self._note_end(self.conn.close_sent.code)
        self.stop_keepalive()
        super().handle_parser_exception()
        self._end()

    def keepalive_timeout(self) -> None:
        if not self.read_paused and has_unread(self):
            # The event loop was blocked, and has not come to read what may be the answer.
            self.pong_timer = self.loop.call_later(LATE_S, self.keepalive_timeout)
            return
        has_taken_all = not untaken_bytes(self.transport)
        if self.read_paused and has_taken_all:
            # Its answer is behind messages that the application has not received; its system has
            # taken the question, and so is there.
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
            return
        if not has_taken_all:
            self.cut("silent")
            return
        self._hear_end(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
        super().keepalive_timeout()
        self._end()

    # What the application calls.

    async def run_asgi(self) -> None:
        try:
            await self.app(self.scope, self.receive, self.send)
        except asyncio.CancelledError:  # which only a server that stops does
            self._finish(CloseCode.SERVICE_RESTART)
        except BaseException as error:
            # That the client is gone is no failure, for a handler that only sends neither.
            has_left = isinstance(error, (ClientDisconnected, WebSocketDisconnect))
            if self.is_open or not has_left:
                self.logger.exception("Exception in ASGI application\n")
            self._finish(CloseCode.INTERNAL_ERROR)
        else:
            # One that was refused with a status has been answered.
            if not self.handshake_complete and not self.close_sent:
                self.logger.error("ASGI callable returned without completing handshake.")
            self._finish(CloseCode.NORMAL_CLOSURE)

    async def send(self, message: Any) -> None:
        kind = message["type"]
        if kind == "websocket.close" and self.handshake_complete and not self._has_closed:
            # It does not wait: what the client has not taken by then, it has not.
            self._has_closed = True
            self.close(message.get("code", CloseCode.NORMAL_CLOSURE), message.get("reason") or "")
            return
        writable = self.writable
        while not writable.is_set():  # others may have been woken before, and have written
            await writable.wait()
        if kind == "websocket.send" and self.is_open and not self.conn.extensions:
            content = message.get("bytes")
            if content is not None:
                self.transport.write(binary_frame(content))
            elif (text := message.get("text")) is not None:
                self.transport.write(text_frame(text))
            return
        if self.close_code is not None and not self._has_closed:
            raise ClientDisconnected
        await super().send(message)
        if kind == "websocket.accept":
            # A tenth of what an idle socket takes; the scope has them too.
            self.request.headers.clear()
            self.response.headers.clear()
            self.handle.look()

    # How a socket ends.

    def close(self, code: int, reason: str = "") -> None:
        """Begin the closing handshake; the client has `websocket_close_s` to end it.

        Raises:
            websockets.exceptions.ProtocolError: No such code may be sent, or the reason is longer
                than 123 bytes.
        """
        if not self.is_open:
            return
        self.conn.send_close(code, reason)
        self._hear_end(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self._replace_close_timer(self._end_unconfirmed)
        if self.read_paused:
            self.go_on_reading()

    def cut(self, why: str) -> None:
        """End the connection at once, and drop what waits for the client.

        Args:
            why: In one of a few words: `silent`, `stalled`, `unfinished`, `application`.
        """
        if self.disconnected:
            return
        self._watch_no_stall()
        self._hear_end(CloseCode.ABNORMAL_CLOSURE)
        record_cut(why)
        cut(self.transport)

    def leave(self) -> None:
        """End it as the server stops: the application does, if it has said so."""
        if self.is_leaving or not self.is_open:
            return
        self.is_leaving = True
        take_over = self.handle.close
        if take_over is None:
            self._close_for_restart()
            return
        self._replace_close_timer(self._close_for_restart)
        try:
            take_over(CloseCode.SERVICE_RESTART, RESTART)
        except Exception:
            logger.exception("what closes a web socket in place of the server has failed")
            self._close_for_restart()

    def shutdown(self) -> None:
        """End it in the course of `SERVER.drain_s`: uvicorn tells all connections at once."""
        if not self.handshake_complete:
            super().shutdown()
        elif self.terms.spread_s:
            self.loop.call_later(random.uniform(0, self.terms.spread_s), self.leave)
        else:
            self.leave()

    def _close_for_restart(self) -> None:
        self.close(CloseCode.SERVICE_RESTART, RESTART)

    def _finish(self, code: int) -> None:
        """End the socket of a handler that has come to its end, and has not closed it."""
        if self.is_open and (self.is_leaving or code == CloseCode.SERVICE_RESTART):
            self._close_for_restart()
        elif self.is_open:
            self.close(code)
        elif self.close_timer is None:
            self.send_500_response()
            self._end()

    def _end(self) -> None:
        """Close the connection behind what has been written, if the client takes it."""
        if self.disconnected:
            return
        # A TLS connection of asyncio's that is closed twice never hears of its end.
        if not self.transport.is_closing():
            self.transport.close()
        if self.transport.get_write_buffer_size():
            self._watch_no_stall()
            self._watch_stall(self.terms.close_s, in_all_s=LONGEST_FLUSH_S)

    def _end_unconfirmed(self) -> None:
        self.close_timer = None
        if untaken_bytes(self.transport):
            self.cut("unfinished")
        else:
            self._end()

    def _hear_end(self, code: int, reason: str = "") -> None:
        """Let the handler hear of the end, which whoever is first tells."""
        if self.close_code is None:
            self._note_end(code)
            message = {"type": "websocket.disconnect", "code": self.close_code, "reason": reason}
            self.queue.put_nowait(message)

    def _note_end(self, code: int) -> None:
        self.close_code = int(code)
        self.handle.close_code = self.close_code
        self.handle.look()

    def _replace_close_timer(self, function: Any) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(self.terms.close_s, function)

    # Clients that take nothing.

    def _watch_stall(self, limit_s: float, **limits: float) -> None:
        why = "unfinished" if self.transport.is_closing() else "stalled"
        self._stall = Stall(
            self.loop, self.transport, limit_s=limit_s, give_up=lambda: self.cut(why), **limits
        )

    def _watch_no_stall(self) -> None:
        if self._stall is not None:
            self._stall.stop()
            self._stall = None
