"""A connection without a network: what is left of it, and what each server is made with."""

from __future__ import annotations

import ast
import asyncio
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.server import ServerState

import fastforge
from fastforge.server.protocol.connection import Connection

from .test_probes import PROBES

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"


class FakeTransport(asyncio.Transport):
    """A client that takes everything."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data:  # of nothing no event loop makes a call of the system
            self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def connect(application: Any = app) -> tuple[Connection, FakeTransport]:
    config = uvicorn.Config(application, lifespan="off", log_config=None)
    connection = Connection(config, ServerState(), {}, asyncio.get_running_loop())
    transport = FakeTransport()
    connection.access_log = False  # here pytest hears it; a server of ours has lines of its own
    connection.connection_made(transport)
    return connection, transport


@pytest.mark.parametrize("request_", [GET, POST, GET[:10], b"nonsense\r\n\r\n", POST + GET])
async def test_a_connection_leaves_nothing_for_the_garbage_collector(request_: bytes) -> None:
    connection, transport = connect()
    gc.collect()
    gc.disable()
    try:
        connection.data_received(request_)
        while tasks := list(connection.tasks):
            await asyncio.wait(tasks)
            del tasks
        connection.patience.look(connection, 0)
        connection.connection_lost(None)
        left = weakref.ref(connection)
        del connection
        await asyncio.sleep(0)
        assert left() is None
    finally:
        gc.enable()
    assert transport.written or request_ == GET[:10]


async def test_a_request_on_its_way_is_answered_by_a_server_that_stops() -> None:
    connection, transport = connect()
    connection.data_received(GET[:10])
    connection.shutdown()
    assert not transport.closed
    connection.data_received(GET[10:])
    connection.shutdown()
    await asyncio.wait(list(connection.tasks))
    assert transport.written.startswith(b"HTTP/1.1 204 ")
    assert transport.closed
    connection.connection_lost(None)


async def test_a_connection_that_waits_is_closed_by_a_server_that_stops() -> None:
    connection, transport = connect()
    connection.shutdown()
    assert transport.closed
    connection.connection_lost(None)


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_failure_behind_a_whole_answer_leaves_the_connection_open(
    is_whole: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer has not said that it would be closed: the next request may be on its way."""

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 500, "headers": headers})
        await send(
            {
                "type": "http.response.body",
                "body": b"no" if is_whole else b"n"[:0],
                "more_body": not is_whole,
            }
        )
        raise LookupError("behind it")

    connection, transport = connect(failing)
    for _ in range(2 if is_whole else 1):
        connection.data_received(GET)
        await asyncio.wait(list(connection.tasks))
    assert transport.closed is not is_whole
    assert transport.written.count(b"HTTP/1.1 500 ") == (2 if is_whole else 1)
    told = [each for each in caplog.records if each.exc_info]
    assert [type(each.exc_info[1]) for each in told if each.exc_info] == [LookupError] * (
        2 if is_whole else 1
    )
    connection.connection_lost(None)


@pytest.mark.parametrize("answered", [0, 1])
async def test_each_request_in_line_hears_that_the_client_has_left(answered: int) -> None:
    """Uvicorn tells the last one: the one that is being answered would go on for ever."""
    heard: list[str] = []
    answer = [asyncio.Event() for _ in range(3)]

    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        number = int(scope["path"][1:])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if number < answered:
            answer[number].set()
        else:
            await receive()
            answer[number].set()
            heard.append((await receive())["type"])
        await send({"type": "http.response.body"})

    connection, _ = connect(streaming)
    for number in range(3):
        connection.data_received(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
    await answer[answered].wait()
    await asyncio.sleep(0)
    running = list(connection.tasks)
    connection.connection_lost(None)
    await asyncio.wait(running, timeout=30)
    assert heard == ["http.disconnect"]


def status_of(pieces: list[bytes]) -> bytes:
    """What a connection says at last to bytes that come in these pieces."""

    async def answered() -> bytes:
        connection, transport = connect()
        for piece in pieces:
            connection.data_received(piece)
            await asyncio.sleep(0)
        while connection.tasks:
            await asyncio.sleep(0)
        connection.connection_lost(None)
        return transport.written.rpartition(b"HTTP/1.1 ")[2][:3]

    return asyncio.run(answered())


@given(st.sampled_from(sorted(PROBES)), st.lists(st.integers(1, 400), max_size=6))
def test_it_makes_no_difference_in_which_pieces_a_request_comes(
    probe: str, places: list[int]
) -> None:
    _, data = PROBES[probe]
    ends = sorted({place for place in places if place < len(data)})
    starts = [0, *ends]
    pieces = [data[start:end] for start, end in zip(starts, [*ends, len(data)], strict=True)]
    assert status_of(pieces) == status_of([data])


@given(st.binary(max_size=300))
def test_whatever_comes_is_answered_at_most_once_and_raises_nothing(data: bytes) -> None:
    assert status_of([data]) in {b"", b"204", b"400", b"414", b"431"}


def configs() -> Iterator[tuple[str, dict[str, str]]]:
    """Where our code makes a configuration of uvicorn's, and with what."""
    for path in sorted(Path(fastforge.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "uvicorn.Config":
                words = {str(word.arg): ast.unparse(word.value) for word in node.keywords}
                yield f"{path.name}:{node.lineno}", words


def test_every_server_of_ours_has_the_limits_and_believes_no_proxy() -> None:
    """The headers of proxies are the edge's to read, by TRUSTED_PROXIES: uvicorn's take any."""
    found = dict(configs())
    assert len(found) >= 3
    for where, words in found.items():
        assert words.get("http", "").startswith("protocol_of("), where
        assert words.get("proxy_headers") == "False", where
        assert words.get("server_header") == "False", where
