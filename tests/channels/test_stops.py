"""A server that stops, or is replaced, says so to its clients, who lose nothing by it."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.processes import descendants, wait_until

from .serving import LIMIT_S, MANY_S, Client, Served, project, served

TIMES = """
    SERVER = {"drain_s": 1, "linger_s": 0.1, "graceful_s": 5}
"""
ON_REDIS = """
    from fastforge.contrib.redis import Redis

    INSTALLED_APPS = ["fastforge.contrib.redis", *INSTALLED_APPS]
    REDIS = Redis(url={url!r})
"""
WAITING = 16
LARGE = 60_000
"""So many of that size wait for a client that does not read, partly in the process."""


@contextmanager
def idle(site: Served) -> Iterator[Client]:
    """Open a client that reads nothing beyond what it asks for, from a small window."""
    with socket.socket() as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        own.connect(("127.0.0.1", site.port))
        with site.client(sock=own, max_queue=1) as client:
            yield client


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("runserver", "restart"),
        pytest.param("our worker", "restart", marks=pytest.mark.long),
        pytest.param("uvicorn with --ws", "restart", marks=pytest.mark.long),
        pytest.param("uvicorn", "", marks=pytest.mark.long),
        pytest.param("uvicorn_worker", "", marks=pytest.mark.long),
        pytest.param("gunicorn's asgi", "restart", marks=pytest.mark.long),
    ],
)
def test_all_are_told_1012_and_nothing_that_a_handler_has_begun_is_left_undone(
    tmp_path: Path, server: str, reason: str
) -> None:
    """Under our own protocol they get before it what waits for them."""
    folder = project(tmp_path, settings=TIMES)
    with served(folder, server) as site, ExitStack() as stack:
        clients = [stack.enter_context(site.client()) for _ in range(4)]
        slow = stack.enter_context(idle(site))
        for client in clients:
            client.join("feed")
        slow.join("feed")
        clients[0].join("room:1")
        clients[0].push("never")
        site.wait_for("works never")
        site.publish(0, WAITING, size=LARGE)
        site.process.terminate()
        if reason:
            assert slow.numbers(WAITING) == list(range(WAITING))
            clients.append(slow)
        assert [client.end() for client in clients] == [(1012, reason)] * len(clients)
        assert site.process.wait() in (0, -signal.SIGTERM)
        assert site.noted("finally never") == 1
        assert site.noted("left feed") == 5
        assert site.noted("closed stock") == 1
        assert "Traceback" not in site.process.output


@pytest.mark.parametrize(
    "server",
    [
        "uvicorn",
        *(
            pytest.param(server, marks=pytest.mark.long)
            for server in (
                "runserver",
                "our worker",
                "uvicorn_worker",
                "gunicorn's asgi",
                "granian",
            )
        ),
    ],
)
def test_a_stream_of_events_ends_with_its_server_whichever_that_is(
    tmp_path: Path, server: str
) -> None:
    """It had no end where the server waits for its requests, as most do without a limit."""
    lines: list[str] = []
    with served(project(tmp_path, settings=TIMES), server) as site:
        url = f"{site.url}/channels/sse?channel=feed"
        with httpx.stream("GET", url, timeout=LIMIT_S) as answer:
            for line in answer.iter_lines():
                if "joined" in line:
                    site.process.terminate()
                lines.append(line)
        assert lines[-2:] == ['data: {"type":"closed","code":1012,"reason":"restart"}', ""]
        site.process.wait()
        assert site.noted("left feed") == 1
        assert site.noted("closed stock") == 1


@pytest.mark.long
def test_granian_cuts_them_before_anybody_can_say_so(tmp_path: Path) -> None:
    """As docs/channels.md says, and a check of the deployment."""
    with served(project(tmp_path, settings=TIMES), "granian") as site, site.client() as client:
        client.join("feed")
        site.process.terminate()
        assert client.end()[0] is None
        site.process.wait()
        assert site.noted("left feed") == 1


def test_they_are_closed_one_after_the_other_and_the_others_are_served_meanwhile(
    tmp_path: Path,
) -> None:
    times = f'SERVER = {{"drain_s": {MANY_S}, "linger_s": 0, "graceful_s": {2 * MANY_S}}}\n'
    with served(project(tmp_path, settings=times)) as site, ExitStack() as stack:
        clients = [stack.enter_context(site.client()) for _ in range(4)]
        for client in clients:
            client.join("feed")
        site.process.terminate()
        wait_until(lambda: any(client.has_ended for client in clients), describe=site.process)
        left = [client for client in clients if not client.has_ended]
        assert len(left) == 3  # the next one has minutes
        site.publish(7, 1)
        assert [client.numbers(1) for client in left] == [[7]] * 3
        with pytest.raises(InvalidStatus) as refused, site.client():
            pass
        assert refused.value.response.status_code == 503
        site.process.kill()


class Reader(threading.Thread):
    """Reads numbers until one comes, on as many sockets as it takes; it says where it was.

    Attributes:
        got: The numbers.
        codes: What its sockets were closed with.
        recovered: What the answers to its joining said.
    """

    def __init__(self, site: Served, last: int) -> None:
        super().__init__(daemon=True)
        self.got: list[int] = []
        self.codes: list[int | None] = []
        self.recovered: list[bool | None] = []
        self._site = site
        self._last = last
        self._past: dict[str, Any] = {}

    def run(self) -> None:
        while not self.got or self.got[-1] != self._last:
            try:
                with self._site.client() as client:
                    self._read(client)
            except ConnectionClosed as closed:
                self.codes.append(closed.rcvd.code if closed.rcvd else None)
            except (OSError, InvalidHandshake):
                continue

    def _read(self, client: Client) -> None:
        answer = client.join("feed", **self._past)
        self.recovered.append(answer.get("recovered"))
        if not self._past:
            self._past = {"epoch": answer["epoch"], "last_id": answer["last_id"]}
        while not self.got or self.got[-1] != self._last:
            frame = client.next("message", "gap")
            assert frame["type"] == "message", frame
            self._past["last_id"] = frame["id"]
            self.got.append(frame["data"]["number"])


def test_clients_of_two_processes_that_are_replaced_miss_nothing_and_get_nothing_twice(
    tmp_path: Path, redis_url: str
) -> None:
    folder = project(tmp_path, settings=TIMES + ON_REDIS.format(url=redis_url))
    with served(folder, "two processes") as site:
        before = descendants(site.process.pid)
        readers = [Reader(site, 999) for _ in range(6)]
        for reader in readers:
            reader.start()
        wait_until(lambda: all(reader.recovered for reader in readers), describe=site.process)
        with httpx.Client(base_url=site.url, timeout=LIMIT_S) as http:
            for first in range(0, 1000, 20):
                if first == 200:
                    site.process.send(signal.SIGHUP)
                if first == 980:
                    wait_until(lambda: not before & descendants(site.process.pid))
                params = {"first": first, "count": 20}
                assert http.post("/publish", params=params).status_code == 200
        for reader in readers:
            reader.join(LIMIT_S)
            assert reader.got == list(range(1000))
            assert set(reader.codes) == {1012}
            assert reader.recovered[0] is None
            assert set(reader.recovered[1:]) == {True}
        site.process.terminate()
        assert site.process.wait() == 0
        assert site.noted("closed stock") == 4
        assert "Traceback" not in site.process.output


def test_an_edit_of_the_code_reaches_clients_that_come_back(tmp_path: Path) -> None:
    folder = project(tmp_path)
    channels = (tmp_path / "shop/talk/channels.py").read_text()
    (tmp_path / "now.gate").touch()
    with served(folder, "reload", environ={"FASTFORGE_ENV": "development"}) as site:
        with site.client() as client:
            assert version(client) == 1
            folder.write({"shop/talk/channels.py": channels.replace("VERSION = 1", "VERSION = 2")})
            assert client.end() == (1012, "restart")
        with site.client() as client:
            assert version(client) == 2


def version(client: Client) -> object:
    client.join("room:1")
    client.push("now")
    return client.next("ok")["data"]
