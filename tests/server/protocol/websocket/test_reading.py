"""What a client sends takes no more memory than it may, whoever receives it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from fastforge.server.protocol.websocket.inbox import MESSAGE_BYTES, Flag, Inbox
from fastforge.server.protocol.websocket.protocol import WebSocketProtocol
from tests.processes import wait_until_async

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
TEXT, CONTINUATION, PING = 0x1, 0x0, 0x9
LIMIT = 65536


class Transport:
    """A transport that notes what is written, and takes nothing off while it is told so."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.written: list[bytes] = []
        self.reads = True
        self.closing = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_extra_info(self, name: str) -> socket.socket | None:
        return self.socket if name == "socket" else None

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == LIMIT

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def close(self) -> None:
        self.closing = True


def frame(opcode: int, content: bytes = b"", *, is_last: bool = True) -> bytes:
    """A frame as a client sends it; the mask changes nothing."""
    assert len(content) < 126
    head = struct.pack("!BB", opcode | (0x80 if is_last else 0), 0x80 | len(content))
    return head + bytes(4) + content


class Opened:
    """A socket that the application has accepted, without a network."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.ready = asyncio.Event()
        config = uvicorn.Config(
            self._app, interface="asgi3", ws_ping_interval=None, log_config=None
        )
        config.load()
        self.transport: Any = Transport()
        self.protocol = WebSocketProtocol(config, ServerState(), {})
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(HANDSHAKE)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await self.ready.wait()
        while (message := await receive())["type"] == "websocket.receive":
            self.received.append(message)

    async def accepted(self) -> Opened:
        await wait_until_async(lambda: self.protocol.handshake_complete)
        self.transport.written.clear()
        return self

    async def end(self) -> None:
        self.ready.set()
        self.protocol.connection_lost(None)
        await wait_until_async(lambda: not self.protocol.tasks)


async def test_empty_messages_by_the_thousand_are_parsed_as_far_as_somebody_receives() -> None:
    opened = await Opened().accepted()
    opened.protocol.data_received(frame(TEXT) * 40_000)  # as an event loop reads it at once
    assert not opened.transport.reads
    assert opened.protocol.queue.size_bytes < 20 * LIMIT  # of ten million
    opened.ready.set()
    await wait_until_async(lambda: len(opened.received) == 40_000)
    assert opened.transport.reads
    await opened.end()


async def test_what_comes_before_a_mistake_counts_and_what_is_behind_it_is_dropped() -> None:
    opened = await Opened().accepted()
    opened.protocol.data_received(frame(TEXT) + bytes(100_000))  # a frame without its mask
    assert opened.transport.closing
    assert [each[:1] for each in opened.transport.written if each] == [b"\x88"]
    assert opened.protocol.close_code == 1002
    await opened.end()
    assert len(opened.received) == 1


async def test_a_message_in_very_many_pieces_is_one_buffer() -> None:
    opened = await Opened().accepted()
    pieces = frame(CONTINUATION, b"y", is_last=False) * 5000
    opened.protocol.data_received(frame(TEXT, b"x", is_last=False) + pieces)
    assert [type(each) for each in opened.protocol.frames] == [bytearray]
    opened.protocol.data_received(frame(CONTINUATION, b"z"))
    opened.ready.set()
    await wait_until_async(lambda: opened.received)
    assert opened.received == [{"type": "websocket.receive", "text": "x" + "y" * 5000 + "z"}]
    await opened.end()


async def test_of_pings_whose_answers_nobody_takes_the_last_is_answered() -> None:
    opened = await Opened().accepted()
    opened.protocol.pause_writing()
    for number in range(1000):
        opened.protocol.data_received(frame(PING, str(number).encode()))
    assert opened.transport.written == []
    opened.protocol.resume_writing()
    assert opened.transport.written == [b"\x8a\x03999"]
    await opened.end()


async def test_a_client_whose_answer_waits_to_be_read_is_not_silent() -> None:
    opened = await Opened().accepted()
    near, far = socket.socketpair()
    with near, far:
        opened.transport.socket = near
        far.send(b"a pong that came while the event loop was blocked")
        opened.protocol.keepalive_timeout()
        assert not opened.transport.closing
        assert opened.protocol.pong_timer is not None  # it is asked for again
        near.recv(100)
        opened.protocol.keepalive_timeout()
        assert opened.transport.closing
    opened.transport.socket = None
    await opened.end()


async def test_who_waits_for_a_message_may_give_up_and_takes_none_with_it() -> None:
    loop = asyncio.get_running_loop()
    inbox = Inbox(loop)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(inbox.get(), 0)
    waiting = [asyncio.create_task(inbox.get()) for _ in range(2)]
    await asyncio.sleep(0)
    inbox.put_nowait("first", 10)
    inbox.put_nowait("second", 20)
    assert inbox.size_bytes == 2 * MESSAGE_BYTES + 30
    assert sorted(await asyncio.gather(*waiting)) == ["first", "second"]
    assert (inbox.size_bytes, inbox.empty()) == (0, True)


async def test_a_flag_wakes_all_who_wait() -> None:
    flag = Flag(asyncio.get_running_loop())
    waiting = [asyncio.create_task(flag.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    flag.set()
    assert await asyncio.gather(*waiting[1:]) == [None, None]
    assert flag.is_set()
