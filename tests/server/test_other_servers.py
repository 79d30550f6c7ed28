"""A project runs unchanged on other ASGI servers, each as its own users start it."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.commanding import python
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, start, wait_until

FILES = {
    "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
    "shop/settings.py": """
        INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.orders"]
        SECRET_KEY = "only for these tests, and long enough for them"
        SERVER = {"start_deadline_s": 0}
        """,
    "shop/asgi.py": """
        from fastforge.asgi import get_asgi_application

        app = get_asgi_application()
        """,
    "shop/orders/tasks.py": """
        from fastforge import task

        @task
        async def ship(order_id: int) -> None: ...
        """,
    "shop/orders/resources.py": """
        import os
        from pathlib import Path
        from typing import Annotated

        from fastforge import provide, resource

        def write(what):
            with open("notes.txt", "a") as notes:
                notes.write(f"{what} {os.getpid()}\\n")

        @resource
        async def stock():
            if Path("sold-out").exists():
                raise ValueError("sold out")
            write("opened")
            yield [1, 2, 3]
            write("closed")

        Stock = Annotated[list, provide(stock)]
        """,
    "shop/orders/routes.py": """
        import asyncio

        from fastapi import APIRouter, WebSocket
        from fastapi.responses import StreamingResponse

        from fastforge.contrib.db import DbSession
        from shop.orders.resources import Stock, write
        from shop.orders.tasks import ship

        router = APIRouter()

        @router.get("/stock")
        async def show(stock: Stock) -> list[int]:
            return stock

        @router.get("/stream")
        async def stream() -> StreamingResponse:
            async def parts():
                for part in ("one ", "two ", "three"):
                    yield part
                    await asyncio.sleep(0)

            return StreamingResponse(parts())

        @router.websocket("/echo")
        async def echo(socket: WebSocket, stock: Stock) -> None:
            await socket.accept()
            async for text in socket.iter_text():
                await socket.send_text(f"{text} {len(stock)}")

        @router.get("/hang")
        async def hang() -> None:
            write("hangs")
            await asyncio.sleep(3600)

        @router.post("/orders", status_code=202)
        async def order(db: DbSession) -> None:
            await ship.enqueue(7)
        """,
}
PYTHON = (sys.executable, "-m")
SERVERS = {
    "uvicorn": (*PYTHON, "uvicorn", "--host", "127.0.0.1", "--port", "{port}"),
    "uvicorn with workers": (*PYTHON, "uvicorn", "--port", "{port}", "--workers", "2"),
    "gunicorn's asgi": (*PYTHON, "gunicorn", "-k", "asgi", "-b", "127.0.0.1:{port}"),
    "gunicorn and uvicorn_worker": (
        *(*PYTHON, "gunicorn", "-k", "uvicorn_worker.UvicornWorker"),
        *("-b", "127.0.0.1:{port}"),
    ),
    "granian": (*PYTHON, "granian", "--interface", "asgi", "--port", "{port}"),
}


LIMITS = {
    "uvicorn": ("--timeout-graceful-shutdown", "2"),
    "uvicorn with workers": ("--timeout-graceful-shutdown", "2"),
    "gunicorn's asgi": ("--graceful-timeout", "2"),
    "gunicorn and uvicorn_worker": ("--graceful-timeout", "2"),
    "granian": ("--workers-kill-timeout", "2"),
}


class Shop:
    """The project in a folder, and what its processes have left there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        ProjectFolder(path).write(FILES)
        done = python(["-m", "fastforge", "migrate"], cwd=path)
        assert done.returncode == 0, done.stderr

    def start(self, server: str, port: int) -> Process:
        """Start a server on it."""
        argv = [word.format(port=port) for word in (*SERVERS[server], *LIMITS[server])]
        return start([*argv, "shop.asgi:app"], cwd=self.path)

    @contextmanager
    def served(self, server: str) -> Iterator[tuple[Process, str]]:
        """Serve it, and give the process and the address without its scheme, once it answers."""
        port = free_port()
        with self.start(server, port) as process:
            address = f"127.0.0.1:{port}"
            wait_until(lambda: fetch(f"http://{address}/readyz"), describe=process)
            yield process, address

    def notes(self, what: str) -> list[str]:
        """Return the processes that have opened or closed the resource."""
        lines = (self.path / "notes.txt").read_text().splitlines()
        return sorted(line.split()[1] for line in lines if line.startswith(what))

    def jobs(self) -> int:
        """Return how many jobs there are."""
        with closing(sqlite3.connect(self.path / "db.sqlite3")) as database:
            (count,) = database.execute("SELECT count(*) FROM jobs_job").fetchone()
        return int(count)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def shop(made: Shop) -> Shop:
    """The project, of which nothing has been opened yet."""
    (made.path / "notes.txt").unlink(missing_ok=True)
    return made


@pytest.mark.parametrize(
    "server",
    [
        # Uvicorn is there without its processes, and below gunicorn.
        pytest.param(server, marks=pytest.mark.long) if server == "uvicorn with workers" else server
        for server in SERVERS
    ],
)
def test_a_project_runs_unchanged(shop: Shop, server: str) -> None:
    before = shop.jobs()
    with shop.served(server) as (process, address):
        stock = fetch(f"http://{address}/stock")
        assert stock is not None
        assert json.loads(stock.body) == [1, 2, 3]
        stream = fetch(f"http://{address}/stream")
        assert stream is not None
        assert stream.body == "one two three"
        with connect(f"ws://{address}/echo") as socket:
            socket.send("hello")
            assert socket.recv(timeout=30) == "hello 3"
        order = fetch(f"http://{address}/orders", method="POST")
        assert order is not None
        assert order.status == 202
        assert shop.jobs() == before + 1
        assert shop.notes("opened") != shop.notes("closed")
        process.terminate()
        process.wait()
        assert shop.notes("opened") == shop.notes("closed"), process


# --- what each of them lacks, as the table of docs/deployment.md and the check say ---------------


@pytest.mark.long
@pytest.mark.parametrize(
    ("server", "code"),
    [
        ("uvicorn", 1012),
        ("uvicorn with workers", 1012),
        ("gunicorn and uvicorn_worker", 1012),
        ("gunicorn's asgi", None),
        ("granian", None),
    ],
)
def test_some_close_a_socket_at_a_stop_without_a_code(
    shop: Shop, server: str, code: int | None
) -> None:
    with shop.served(server) as (process, address), connect(f"ws://{address}/echo") as socket:
        socket.send("hello")
        assert socket.recv(timeout=30) == "hello 3"
        process.terminate()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
        assert (closed.value.rcvd.code if closed.value.rcvd else None) == code


@pytest.mark.long
@pytest.mark.parametrize(
    ("server", "status"),
    [
        ("uvicorn", 500),
        ("uvicorn with workers", 500),
        ("gunicorn and uvicorn_worker", None),
        ("gunicorn's asgi", None),
        ("granian", None),
    ],
)
def test_some_cut_off_a_request_that_hangs_at_a_stop_and_close_no_resource(
    shop: Shop, server: str, status: int | None
) -> None:
    answers = []
    with shop.served(server) as (process, address):

        def ask() -> None:
            answers.append(fetch(f"http://{address}/hang"))

        asking = threading.Thread(target=ask)
        asking.start()
        wait_until(lambda: shop.notes("hangs"), describe=process)
        process.terminate()
        process.wait()
        asking.join()
        assert [answer.status if answer else None for answer in answers] == [status]
        assert (shop.notes("opened") == shop.notes("closed")) is (status is not None), process


@pytest.mark.long
@pytest.mark.parametrize(
    ("server", "code"),
    [
        ("uvicorn", 3),
        ("uvicorn with workers", 0),
        ("gunicorn and uvicorn_worker", 3),
        ("gunicorn's asgi", 3),
        ("granian", 1),
    ],
)
def test_a_start_that_fails_ends_with_the_code_of_the_server(
    shop: Shop, server: str, code: int
) -> None:
    (shop.path / "sold-out").touch()
    try:
        with shop.start(server, free_port()) as process:
            assert process.wait() == code, process
            assert "sold out" in process.output
    finally:
        (shop.path / "sold-out").unlink()
