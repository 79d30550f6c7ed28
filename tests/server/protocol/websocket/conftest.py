"""A project with sockets of every manner, served as in production, and raw clients for it."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.request_path.site import Site, serving

ROUTES: Final = """
    import asyncio

    from fastapi import APIRouter, WebSocket

    from fastforge.transport import text_frame, transport_of

    router = APIRouter()

    @router.get("/ready")
    async def ready():
        return {}

    @router.websocket("/returns")
    async def returns(socket: WebSocket):
        await socket.accept()

    @router.websocket("/raises")
    async def raises(socket: WebSocket):
        await socket.accept()
        raise ValueError("no price")

    @router.websocket("/echo")
    async def echo(socket: WebSocket):
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)

    @router.websocket("/ticks")
    async def ticks(socket: WebSocket):
        await socket.accept()
        while True:
            await socket.send_text("tick")
            await asyncio.sleep(0.05)

    @router.websocket("/flood")
    async def flood(socket: WebSocket):
        await socket.accept()
        sent = 0
        try:
            while True:
                await socket.send_text("x" * 50000)
                sent += 1
        except BaseException as error:
            print("flood ended:", type(error).__name__, sent, flush=True)
            raise

    @router.websocket("/crowd")
    async def crowd(socket: WebSocket):
        await socket.accept()
        sends = [asyncio.create_task(socket.send_text("x" * 20000)) for _ in range(100)]
        await asyncio.sleep(0.2)
        print("waiting:", transport_of(socket.scope).waiting_bytes, flush=True)
        await asyncio.gather(*sends, return_exceptions=True)

    @router.websocket("/frames")
    async def frames(socket: WebSocket):
        await socket.accept()
        transport = transport_of(socket.scope)
        for length in (0, 125, 126, 65535, 65536):
            while not transport.write(text_frame("x" * length)):
                await transport.when_writable()
        print("written:", transport.written, flush=True)
        await socket.receive_text()
        transport.abort()
        print("aborted:", await socket.receive(), transport.is_writable, flush=True)

    @router.websocket("/stays")
    async def stays(socket: WebSocket):
        await socket.accept()
        await socket.send_text("open")
        try:
            await asyncio.sleep(3600)
        finally:
            print("stays: finally", flush=True)

    @router.websocket("/flushes")
    async def flushes(socket: WebSocket):
        await socket.accept()
        told = asyncio.get_running_loop().create_future()
        transport_of(socket.scope).take_over_closing(lambda code, why: told.set_result((code, why)))
        await socket.send_text("open")
        code, reason = await told
        await socket.send_text("the last")
        await socket.close(code, reason)

    @router.websocket("/forgets")
    async def forgets(socket: WebSocket):
        await socket.accept()
        transport_of(socket.scope).take_over_closing(lambda code, why: None)
        await socket.send_text("open")
        await socket.receive()
    """

RESOURCES: Final = """
    from fastforge import resource

    @resource
    async def stock():
        yield [1]
        print("resource: closed", flush=True)
    """

SETTINGS: Final = """
    SECRET_KEY = "a key of these tests that is long enough, and random in no way"
    ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
    INSTALLED_APPS = ["shop.prices"]
    """

ASGI: Final = """
    from fastforge.asgi import get_asgi_application

    app = get_asgi_application(settings_module="shop.settings")
    """


def files(**fields: float) -> dict[str, str]:
    """The project, with these fields of SERVER."""
    return {
        "shop/settings.py": f"{SETTINGS}SERVER = {fields}\n",
        "shop/asgi.py": ASGI,
        "shop/prices/routes.py": ROUTES,
        "shop/prices/resources.py": RESOURCES,
    }


def with_event_loop(name: str, written: dict[str, str]) -> dict[str, str]:
    """The same files on one of the event loops."""
    without_uvloop = {"uvloop.py": "raise ImportError('not in this test')\n"}
    return written if name == "uvloop" else written | without_uvloop


@pytest.fixture(scope="module", params=["uvloop", pytest.param("asyncio", marks=pytest.mark.long)])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The project, whose clients have half a second for everything."""
    fields: dict[str, Any] = {
        "websocket_ping_s": 0.5,
        "websocket_pong_s": 0.5,
        "websocket_send_timeout_s": 0.5,
        "websocket_close_s": 0.5,
        "websocket_max_message_bytes": 100_000,
    }
    written = with_event_loop(request.param, files(**fields))
    with serving(tmp_path_factory.mktemp("sockets"), written) as served:
        yield served


def opened(port: int, path: str) -> ClientConnection:
    """Return a client's socket that is open."""
    return connect(f"ws://127.0.0.1:{port}{path}", close_timeout=0.5)


def end_of(client: ClientConnection) -> tuple[int | None, str]:
    """Return the code and the reason that a socket ends with, whatever comes before."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            client.recv(timeout=60)
    received = closed.value.rcvd
    return (None, "") if received is None else (received.code, received.reason)


@contextmanager
def unread(port: int, path: str) -> Iterator[socket.socket]:
    """Open a socket whose client reads nothing more than the head of the answer."""
    key = base64.b64encode(b"0123456789abcdef").decode()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.connect(("127.0.0.1", port))
        lines = (
            f"GET {path} HTTP/1.1",
            "Host: localhost",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
        )
        client.sendall("\r\n".join((*lines, "", "")).encode())
        assert client.recv(12) == b"HTTP/1.1 101"
        yield client


def is_reset(client: socket.socket) -> bool:
    """Whether the connection was cut: the system then has nothing more for it."""
    error = cast(int, client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    return error != 0
