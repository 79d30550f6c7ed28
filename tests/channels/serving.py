"""A project with channels that is served by processes of its own, and clients over sockets."""

from __future__ import annotations

import json
import socket
import struct
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.sync.client import ClientConnection, connect

from tests.commanding import start as start_forked
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, start, wait_until

LIMIT_S: Final = 60.0
MANY_S: Final = 600
"""As long as a test wants to look."""

SETTINGS: Final = """
    from fastforge.channels import Channels

    SECRET_KEY = "q7Zk1v0mW3xN8bT5rY2uJ6pL9sD4fG0hC"
    ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    INSTALLED_APPS = ["shop.talk"]
    CHANNELS = Channels(messages_burst=1000)
"""
CHANNELS: Final = """
    import asyncio
    import os
    from pathlib import Path
    from typing import Literal

    from pydantic import BaseModel

    from fastforge.channels import Channel, Connection, receives

    VERSION = 1

    def note(*words: object) -> None:
        print("note:", *words, flush=True)

    class Number(BaseModel):
        type: Literal["number"] = "number"
        number: int
        text: str = ""

    class Work(BaseModel):
        type: Literal["work"] = "work"
        gate: str

    class Feed(Channel, pattern="feed", public=True, history=2000):
        Outgoing = Number

        async def left(self, connection: Connection) -> None:
            note("left feed")

    class Room(Channel, pattern="room:{room_id:int}", public=True):
        Incoming = Work
        Outgoing = Number

        @receives
        async def work(self, message: Work) -> int:
            note("works", message.gate)
            try:
                while not Path(f"{message.gate}.gate").exists():
                    await asyncio.sleep(0.02)
                return os.getpid() if message.gate == "pid" else VERSION
            finally:
                note("finally", message.gate)
"""
ROUTES: Final = """
    import os

    from fastapi import APIRouter, WebSocket

    from .channels import Feed, Number

    router = APIRouter()

    @router.get("/ready")
    async def ready() -> int:
        return os.getpid()

    @router.post("/publish")
    async def publish(first: int = 0, count: int = 1, size: int = 0) -> None:
        for number in range(first, first + count):
            await Feed.publish(Number(number=number, text="x" * size))

    @router.websocket("/plain")
    async def plain(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)
"""
RESOURCES: Final = """
    import os

    from fastforge import resource

    @resource
    async def stock():
        yield [1]
        print("note: closed stock", os.getpid(), flush=True)
"""
ASGI: Final = """
    from fastforge.asgi import get_asgi_application

    app = get_asgi_application(settings_module="shop.settings")
"""
PYTHON: Final = (sys.executable, "-m")
SERVERS: Final[Mapping[str, tuple[str, ...]]] = {
    "runserver": ("fastforge", "runserver", "{port}", "--no-worker", "--workers", "1"),
    "two processes": ("fastforge", "runserver", "{port}", "--no-worker", "--workers", "2"),
    "reload": ("fastforge", "runserver", "{port}", "--no-worker"),
    "uvicorn": (
        *("uvicorn", "--port", "{port}", "--timeout-graceful-shutdown", "5"),
        *("--ws-ping-interval", "0.5", "--ws-ping-timeout", "2", "shop.asgi:app"),
    ),
    "uvicorn with --ws": (
        *("uvicorn", "--port", "{port}", "--timeout-graceful-shutdown", "5"),
        *("--ws", "fastforge.server.protocol:WebSocketProtocol", "shop.asgi:app"),
    ),
    "our worker": (
        *("gunicorn", "-k", "fastforge.server.Worker", "--graceful-timeout", "30"),
        *("-b", "127.0.0.1:{port}", "shop.asgi:app"),
    ),
    "uvicorn_worker": (
        *("gunicorn", "-k", "uvicorn_worker.UvicornWorker", "--graceful-timeout", "5"),
        *("-b", "127.0.0.1:{port}", "shop.asgi:app"),
    ),
    "gunicorn's asgi": (
        *("gunicorn", "-k", "asgi", "--graceful-timeout", "10"),
        *("-b", "127.0.0.1:{port}", "shop.asgi:app"),
    ),
    "granian": ("granian", "--interface", "asgi", "--port", "{port}", "shop.asgi:app"),
}


class PingedConnection(ClientConnection):
    """A connection that counts how often it was asked for a sign of life."""

    pings = 0

    def process_event(self, event: Event) -> None:
        """Take what has come."""
        self.pings += isinstance(event, Frame) and event.opcode is Opcode.PING
        super().process_event(event)


class Client:
    """A client of the channels that is a program of its own, such as an app on a phone.

    Args:
        socket: What it speaks over.
    """

    def __init__(self, socket: PingedConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    @classmethod
    @contextmanager
    def opened(cls, port: int, **options: Any) -> Iterator[Self]:
        """Open a socket."""
        options = {"open_timeout": LIMIT_S, "close_timeout": 1, "compression": None, **options}
        connection = PingedConnection
        uri = f"ws://127.0.0.1:{port}/channels"
        with connect(uri, create_connection=connection, **options) as socket:
            assert isinstance(socket, connection)
            client = cls(socket)
            assert client.next()["type"] == "welcome"
            yield client

    def send(self, **frame: Any) -> None:
        """Send a frame."""
        self.socket.send(json.dumps(frame))

    def next(self, *kinds: str) -> dict[str, Any]:
        """Return the next frame, of these types if there are any."""
        while True:
            frame: dict[str, Any] = json.loads(self.socket.recv(timeout=LIMIT_S))
            self.frames.append(frame)
            if not kinds or frame["type"] in kinds:
                return frame

    def join(self, name: str, **past: Any) -> dict[str, Any]:
        """Join a channel, and return the answer."""
        self.send(type="join", ref="join", channel=name, **past)
        return self.next("joined", "error")

    def push(self, gate: str, room: str = "room:1") -> None:
        """Let a handler begin to work, until its gate is open."""
        self.send(type="push", ref=gate, channel=room, data={"type": "work", "gate": gate})

    def numbers(self, count: int) -> list[int]:
        """Return the numbers of so many messages."""
        return [self.next("message")["data"]["number"] for _ in range(count)]

    def end(self) -> tuple[int | None, str]:
        """Return the code and the reason that the socket ends with, whatever comes before."""
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                self.next()
        received = closed.value.rcvd
        return (None, "") if received is None else (received.code, received.reason)

    def break_off(self) -> None:
        """Let the connection break, without a word."""
        self.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.socket.close()

    def outlasts_pings(self, count: int) -> None:
        """Wait until the server has asked so often whether the client is there."""
        wait_until(lambda: self.socket.pings >= count)

    @property
    def has_ended(self) -> bool:
        """Whether the socket has been closed; what has come until then is taken."""
        try:
            while True:
                self.frames.append(json.loads(self.socket.recv(timeout=0)))
        except TimeoutError:
            return False
        except ConnectionClosed:
            return True


@dataclass(frozen=True)
class Served:
    """A project that is served."""

    folder: ProjectFolder
    server: str
    port: int
    process: Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options: Any) -> Any:
        """Open a socket."""
        return Client.opened(self.port, **options)

    def publish(self, first: int, count: int, *, size: int = 0) -> None:
        """Publish numbers in a handler."""
        url = f"{self.url}/publish?first={first}&count={count}&size={size}"
        answer = fetch(url, method="POST")  # httpx would read every certificate there is, each time
        assert answer is not None and answer.status == 200, answer

    def open_gate(self, name: str) -> None:
        """Let a handler go on."""
        (self.folder.path / f"{name}.gate").touch()

    def noted(self, words: str) -> int:
        """Return how often the application has noted something."""
        return self.process.output.count(f"note: {words}")

    def wait_for(self, words: str, *, times: int = 1) -> None:
        """Wait until the application has noted something so often."""
        wait_until(lambda: self.noted(words) >= times, describe=self.process)


def project(path: Path, *, settings: str = "", **files: str) -> ProjectFolder:
    """Write the project.

    Args:
        path: Where to.
        settings: What comes behind those that there are.
        files: Others, by the first word of their names in `shop/talk`.
    """
    folder = ProjectFolder(path)
    folder.write({"pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n'})
    folder.write({"shop/settings.py": SETTINGS, "shop/asgi.py": ASGI})
    written = {"channels": CHANNELS, "routes": ROUTES, "resources": RESOURCES, **files}
    folder.write({f"shop/talk/{name}.py": text for name, text in written.items()})
    with (path / "shop/settings.py").open("a") as file:
        file.write(textwrap.dedent(settings))
    return folder


@contextmanager
def served(
    folder: ProjectFolder, server: str = "runserver", *, environ: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Serve a project by one of the servers, as in production."""
    port = free_port()
    words = [word.format(port=port) for word in SERVERS[server]]
    is_ours = words[0] == "fastforge"
    environ = {"FASTFORGE_ENV": "production", "FASTFORGE_PRE_STOP_S": "", **(environ or {})}
    begin = start_forked if is_ours else start
    with begin([*PYTHON, *words], cwd=folder.path, env=environ) as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/ready"), describe=process)
        if server == "two processes":
            process.wait_for("Ctrl-C stops)\n")
        yield Served(folder, server, port, process)
