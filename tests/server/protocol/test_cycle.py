"""A short answer leaves in one write, and is in every other way what uvicorn would send."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
import uvicorn
from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from fastforge.server.protocol.answer import LONGEST_BODY_BYTES
from fastforge.server.protocol.connection import Connection
from fastforge.server.protocol.held import LONGEST_HOLD_S
from tests.request_path.site import Site
from tests.request_path.wire import Wire

from .test_connection import GET, POST, FakeTransport, connect

Headers = Sequence[tuple[bytes, bytes]]
Send = Callable[[Any], Awaitable[None]]

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def start(headers: Headers, status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(part: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": part, "more_body": more}


def answering(*messages: dict[str, Any]) -> Any:
    async def app(scope: Any, receive: Any, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


async def ended(connection: Any) -> None:
    while connection.tasks:
        await asyncio.wait(list(connection.tasks), timeout=30)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


TWO_BYTES = [(b"content-length", b"2"), (b"content-type", b"text/plain")]


class Halting:
    """An application that begins its answer, and ends it when it is told to go on."""

    def __init__(self) -> None:
        self.begun, self.goes_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        await send(start(TWO_BYTES))
        self.begun.set()
        await self.goes_on.wait()
        await send(body(b"ok"))


@pytest.mark.parametrize("request_", [GET, POST, GET.replace(b"1.1", b"1.0")])
async def test_a_short_answer_is_one_write(request_: bytes) -> None:
    connection, transport = connect(answering(start(TWO_BYTES), body(b"ok")))
    connection.data_received(request_)
    await ended(connection)
    (written,) = transport.writes
    assert written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert written.endswith(b"\r\n\r\nok")
    connection.connection_lost(None)


async def test_each_answer_on_a_connection_is_one_write() -> None:
    connection, transport = connect(answering(start(TWO_BYTES), body(b"ok")))
    for count in (1, 2):
        connection.data_received(GET)
        await ended(connection)
        assert len(transport.writes) == count
    connection.data_received(GET * 3)  # in line
    await ended(connection)
    assert [each[-2:] for each in transport.writes] == [b"ok"] * 5
    connection.connection_lost(None)


async def test_a_body_that_is_dear_to_copy_is_written_by_itself() -> None:
    large = bytes(LONGEST_BODY_BYTES + 1)
    headers = [(b"content-length", b"%d" % len(large))]
    connection, transport = connect(answering(start(headers), body(large)))
    connection.data_received(GET)
    await ended(connection)
    assert transport.writes[1:] == [large]
    connection.connection_lost(None)


async def test_the_head_of_a_stream_is_written_before_anything_is_waited_for() -> None:
    written: list[int] = []

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(start([]))
        written.append(len(transport.writes))
        await send(body(b""))

    connection, transport = connect(app)
    connection.data_received(GET)
    await ended(connection)
    assert written == [1]
    connection.connection_lost(None)


async def test_a_head_does_not_wait_for_a_body_that_does_not_come() -> None:
    """Though the application said how long it would be."""
    goes_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(start(TWO_BYTES))
        await goes_on.wait()
        await send(body(b"ok"))

    connection, transport = connect(app)
    connection.data_received(GET)
    await until(lambda: transport.writes)
    assert transport.written.endswith(b"\r\n\r\n")
    goes_on.set()
    await ended(connection)
    assert transport.writes[1:] == [b"ok"]
    connection.connection_lost(None)


@pytest.mark.parametrize("query", ["", "?length=4"])
def test_a_client_has_the_head_before_there_is_a_body(site: Site, query: str) -> None:
    with Wire(site.port) as wire, Wire(site.port) as other:
        wire.get(f"/begun{query}")
        assert wire.receive(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
        assert other.get("/open").answer().status == 200
        assert b"late" in wire.receive(b"late")


async def test_an_application_that_fails_before_the_body_has_its_head_sent() -> None:
    """A client that got nothing at all might ask once more, and so might a proxy."""

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(start(TWO_BYTES))
        raise LookupError

    connection, transport = connect(app)
    connection.data_received(GET)
    await ended(connection)
    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert transport.written.endswith(b"\r\n\r\n")
    assert transport.closed
    connection.connection_lost(None)


async def test_a_head_leaves_before_its_connection_is_closed_for_a_bad_body() -> None:
    begun = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Send) -> None:
        await send(start(TWO_BYTES))
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass

    connection, transport = connect(app)
    connection.data_received(CHUNKED)
    await begun.wait()
    connection.data_received(b"no length\r\n")
    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert transport.closed
    await ended(connection)
    connection.connection_lost(None)
    assert len(transport.writes) == 1


@pytest.mark.parametrize("has_waited", [True, False])
async def test_to_a_client_that_has_left_nothing_is_written(has_waited: bool) -> None:
    app = Halting()
    connection, transport = connect(app)
    connection.data_received(GET)
    await app.begun.wait()
    connection.connection_lost(None)
    if has_waited:
        await asyncio.sleep(LONGEST_HOLD_S)  # the head was to leave before this ends
    app.goes_on.set()
    await ended(connection)
    assert not transport.writes


async def test_a_body_waits_for_a_client_that_takes_nothing() -> None:
    app = Halting()
    connection, transport = connect(app)
    connection.data_received(GET)
    await app.begun.wait()
    connection.pause_writing()
    app.goes_on.set()
    await until(lambda: transport.writes)
    assert transport.written.endswith(b"\r\n\r\n")
    assert connection.tasks
    connection.resume_writing()
    await ended(connection)
    assert transport.writes[1:] == [b"ok"]
    connection.connection_lost(None)


async def test_a_server_that_stops_closes_behind_an_answer_whose_head_waits() -> None:
    app = Halting()
    connection, transport = connect(app)
    connection.data_received(GET)
    await app.begun.wait()
    connection.shutdown()
    app.goes_on.set()
    await ended(connection)
    assert transport.written.endswith(b"\r\n\r\nok")
    assert transport.closed
    connection.connection_lost(None)


@pytest.mark.parametrize("is_whole", [True, False])
async def test_what_is_sent_is_a_coroutine_that_a_task_can_run(is_whole: bool) -> None:
    """As uvicorn's is: some applications send from tasks of their own."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.create_task(send(start(TWO_BYTES)))
        await asyncio.create_task(send(body(b"ok" if is_whole else b"o", more=not is_whole)))

    connection, transport = connect(app)
    connection.data_received(GET)
    await ended(connection)
    assert transport.written.endswith(b"ok" if is_whole else b"\r\n\r\no")
    connection.connection_lost(None)


LENGTHS = st.sampled_from([b"0", b"2", b"4", b"04", b" 4", b"x", b""])
HEADER = st.one_of(
    st.tuples(st.sampled_from([b"content-length", b"Content-Length"]), LENGTHS),
    st.sampled_from(
        [
            (b"connection", b"close"),
            (b"connection", b"keep-alive"),
            (b"transfer-encoding", b"chunked"),
            (b"set-cookie", b"a=1"),
            (b"set-cookie", b"b=2"),
            (b"X-Upper", b"Value"),
            (b"x-empty", b""),
            (b"", b"nameless"),
            (b"x-line", b"a\r\nb: c"),
            (b"x-tab", b"a\tb"),
            (b"x-high", b"\xff"),
            (b"x name", b"a"),
            (b"123", b"a"),
        ]
    ),
)
PARTS = st.lists(st.sampled_from([b"", b"ok", b"four", b"longer than that"]), max_size=3)
REQUESTS = st.sampled_from(
    [
        GET,
        POST,
        GET.replace(b"GET", b"HEAD"),
        GET.replace(b"1.1", b"1.0"),
        GET[:-2] + b"Connection: close\r\n\r\n",
    ]
)


def sent_by(protocol: Any, request: bytes, messages: Sequence[dict[str, Any]]) -> tuple[Any, ...]:
    """What a protocol writes for these messages, and whether it closes."""

    async def sent() -> tuple[Any, ...]:
        state = ServerState()
        state.default_headers = [(b"date", b"today")]
        config = uvicorn.Config(answering(*messages), lifespan="off", log_config=None)
        connection = protocol(config, state, {}, asyncio.get_running_loop())
        connection.access_log = False
        transport = FakeTransport()
        connection.connection_made(transport)
        connection.data_received(request)
        await ended(connection)
        cycle = connection.cycle
        told = cycle.response_started, cycle.response_complete, cycle.keep_alive
        connection.connection_lost(None)
        return transport.written, transport.closed, state.total_requests, told

    return asyncio.run(sent())


@given(
    REQUESTS,
    st.sampled_from([200, 201, 204, 304, 404, 500, 599, 700]),
    st.lists(HEADER, max_size=4),
    PARTS,
    st.booleans(),
)
@example(GET, 200, [(b"content-length", b"4")], [b"four"], True)
@example(GET, 200, [(b"content-length", b"4")], [b"ok", b"ok"], True)
@example(GET, 200, [(b"content-length", b"4")], [b"four", b""], True)
@example(GET, 200, [(b"content-length", b"4")], [b"ok"], True)
@example(GET, 200, [(b"content-length", b"4")], [b"four"], False)
@example(GET.replace(b"GET", b"HEAD"), 200, [(b"content-length", b"4")], [b"four"], True)
@example(GET, 200, [(b"content-length", b"4"), (b"content-length", b"2")], [b"four"], True)
def test_every_answer_is_the_one_that_uvicorn_would_send(
    request_: bytes, status: int, headers: Headers, parts: Sequence[bytes], is_ended: bool
) -> None:
    last = len(parts) - 1
    messages = [
        start(headers, status),
        *(body(part, more=not (is_ended and at == last)) for at, part in enumerate(parts)),
    ]
    ours = sent_by(Connection, request_, messages)
    assert ours == sent_by(HttpToolsProtocol, request_, messages)
