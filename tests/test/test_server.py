"""A real server in a thread, for browsers, WebSockets and streams."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from websockets.sync.client import connect

from fastforge.test import live_server

noted: list[str] = []


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    noted.append(threading.current_thread().name)
    yield
    noted.append("closed")


def make_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    async def home() -> str:
        return "hello"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        more = threading.Event()

        async def parts() -> AsyncIterator[str]:
            yield "first"
            while not more.is_set():
                await asyncio.sleep(0.01)
            yield "last"

        app.state.more = more
        return StreamingResponse(parts())

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await socket.receive_text())

    return app


def test_it_answers_over_a_socket_and_is_gone_afterwards() -> None:
    noted.clear()
    with live_server(make_app()) as url:
        assert httpx.get(url).json() == "hello"
        with connect(f"{url.replace('http', 'ws')}/echo") as web_socket:
            web_socket.send("back")
            assert web_socket.recv() == "back"
    port = urlsplit(url).port
    assert noted == [f"live server {port}", "closed"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port or 0)).close()


def test_a_stream_arrives_in_parts() -> None:
    app = make_app()
    with live_server(app) as url, httpx.stream("GET", f"{url}/stream") as answer:
        parts = answer.iter_text()
        assert next(parts) == "first"
        app.state.more.set()
        assert "".join(parts) == "last"


async def test_two_serve_at_once_while_a_test_runs_its_own_loop() -> None:
    with live_server(make_app()) as one, live_server(make_app()) as two:
        assert one != two
        async with httpx.AsyncClient() as http:
            assert (await http.get(one)).json() == (await http.get(two)).json() == "hello"


def test_an_address_of_version_six_stands_in_brackets() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with live_server(make_app(), host="::1") as url:
        assert url.startswith("http://[::1]:")
        assert httpx.get(url).json() == "hello"


def test_a_failing_start_raises_what_the_application_raised() -> None:
    @asynccontextmanager
    async def failing(app: FastAPI) -> AsyncIterator[None]:
        raise OSError("the disk is away")
        yield

    with pytest.raises(OSError, match="the disk is away"), live_server(FastAPI(lifespan=failing)):
        pass
    assert not [thread for thread in threading.enumerate() if "live server" in thread.name]
