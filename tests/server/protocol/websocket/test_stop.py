"""A server that stops closes its sockets with 1012, one after the other, and ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from fastforge.core.settings import Server
from tests.processes import Process, fetch, free_port, start, wait_until
from tests.request_path.site import runserver, write

from .conftest import end_of, files, opened

TIMES = {"drain_s": 1, "linger_s": 0.1, "graceful_s": 0.5, "websocket_close_s": 0.5}
UVICORN = "fastforge.server.protocol:WebSocketProtocol"
SERVERS = {
    "gunicorn": ["gunicorn", "-k", "fastforge.server.Worker", "--graceful-timeout", "30", "-b"],
    "uvicorn": ["uvicorn", "--ws", UVICORN, "--timeout-graceful-shutdown", "2", "--port"],
}


LONG_S = 600
"""As long as a test wants to look."""


@contextmanager
def served(path: Path, server: str) -> Iterator[tuple[Process, int]]:
    """Serve the project by one of the servers, and give the process and the port."""
    write(path, files(**TIMES))
    port = free_port()
    if server == "runserver":
        started = runserver(path, port, {"FASTFORGE_PRE_STOP_S": ""})  # it drains by itself
    else:
        words = SERVERS[server]
        place = str(port) if server == "uvicorn" else f"127.0.0.1:{port}"
        argv = [sys.executable, "-m", *words, place, "shop.asgi:app"]
        started = start(argv, cwd=path, env={"FASTFORGE_ENV": "production"})
    with started as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/ready"), describe=process)
        yield process, port


def waiting(stack: ExitStack, port: int, path: str) -> ClientConnection:
    """Return a client whose handler has begun to wait."""
    client = stack.enter_context(opened(port, path))
    assert client.recv(timeout=60) == "open"
    return client


@pytest.mark.parametrize(
    "server", ["runserver", "gunicorn", pytest.param("uvicorn", marks=pytest.mark.long)]
)
def test_every_socket_hears_1012_and_every_handler_ends(tmp_path: Path, server: str) -> None:
    """One waits elsewhere, one has its application close it, one is forgotten by its own."""
    with served(tmp_path, server) as (process, port), ExitStack() as stack:
        stays = waiting(stack, port, "/stays")
        flushes = waiting(stack, port, "/flushes")
        forgets = [waiting(stack, port, "/forgets") for _ in range(2)]
        process.terminate()
        assert flushes.recv(timeout=60) == "the last"
        ends = [end_of(client) for client in (stays, flushes, *forgets)]
        assert ends == [(1012, "restart")] * 4, process
        process.wait()
        assert process.output.count("stays: finally") == 1
        assert "resource: closed" in process.output
        assert "Traceback" not in process.output


def test_they_are_closed_one_after_the_other_also_where_the_platform_has_waited(
    tmp_path: Path,
) -> None:
    write(tmp_path, files(drain_s=LONG_S, linger_s=0, graceful_s=2 * LONG_S))
    port = free_port()
    environ = {"FASTFORGE_PRE_STOP_S": "5"}
    with runserver(tmp_path, port, environ) as process, ExitStack() as stack:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/ready"), describe=process)
        clients = [waiting(stack, port, "/stays") for _ in range(4)]
        process.terminate()
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/ready") is None, describe=process)
        wait_until(lambda: any(map(has_ended, clients)), describe=process)
        assert sum(map(has_ended, clients)) == 1  # the next one has minutes
        process.kill()


def test_where_nothing_else_drains_they_leave_time_for_their_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(drain_s=5, graceful_s=4)
    assert server.spread_in("production") == 5
    monkeypatch.setenv("FASTFORGE_PRE_STOP_S", "5")
    assert (server.drain_in("production"), server.spread_in("production")) == (0, 2)


def has_ended(client: ClientConnection) -> bool:
    try:
        client.recv(timeout=0)
    except TimeoutError:
        return False
    except ConnectionClosed:
        return client.close_code == 1012
    return False
