"""The id of a request is known in every place where its code can stand, and nowhere else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.commanding import python, start
from tests.folder import ProjectFolder
from tests.processes import Process, fetch, free_port, wait_until
from tests.request_path.wire import Answer, Wire, ask

from .shop import FILES

PYTHON = (sys.executable, "-m")
SERVERS = {
    "ours": (sys.executable, "serving.py", "{port}"),
    "uvicorn": (*PYTHON, "uvicorn", "shop.asgi:app", "--port", "{port}", "--loop", "asyncio"),
    "granian": (*PYTHON, "granian", "--interface", "asgi", "--port", "{port}", "shop.asgi:app"),
}
IN_LAYERS = {"plain layer", "base layer", "base layer after"}
IN_DEPENDENCIES = {
    "sync dependency", "async dependency", "sync yield", "sync yield exit", "async yield",
    "async yield exit",
}  # fmt: skip
NOTHING = {"user": None, "own": None}


@dataclass(frozen=True)
class Shop:
    """The project, while a server serves it."""

    path: Path
    port: int
    process: Process

    def ask(self, method: str, path: str) -> Answer:
        host = f"Host: localhost:{self.port}"
        body = b"" if method == "POST" else None
        return ask(self.port, method, path, headers=[host], body=body)

    def notes(self) -> set[tuple[str, str]]:
        """Return the places and ids that have been noted."""
        lines = (self.path / "notes").read_text().splitlines()
        return {(place, identity) for place, _, identity in (each.partition("=") for each in lines)}

    def lines_of(self, identity: str) -> set[str]:
        """Return the places whose lines in the log have an id."""
        lines = (json.loads(line) for line in self.process.output.splitlines() if line[:1] == "{")
        mine = (line["event"] for line in lines if line.get("request_id") == identity)
        return {event.removeprefix("at ") for event in mine if event.startswith("at ")}

    def places_of(self, identity: str) -> set[str]:
        """Return the places that have noted an id."""
        return {place for place, each in self.notes() if each == identity}


@contextmanager
def serving(path: Path, server: str) -> Iterator[Shop]:
    ProjectFolder(path).write(FILES)
    done = python(["-m", "fastforge", "migrate"], cwd=path)
    assert done.returncode == 0, done.stderr
    port = free_port()
    argv = [word.format(port=port) for word in SERVERS[server]]
    environ = {"FASTFORGE_ENV": "production", "FASTFORGE_LOG_FORMAT": "json"}
    with start(argv, cwd=path, env=environ) as process:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/readyz"), describe=process)
        yield Shop(path, port, process)


@pytest.fixture(
    scope="module", params=["ours", "uvicorn", pytest.param("granian", marks=pytest.mark.long)]
)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    with serving(tmp_path_factory.mktemp("shop"), request.param) as shop:
        yield shop


def test_in_every_place_around_an_async_handler_and_in_the_jobs_that_it_enqueues(
    shop: Shop,
) -> None:
    answer = shop.ask("POST", "/everywhere")
    assert answer.status == 200, shop.process.output
    assert answer.json == answer.request_id, "what the client passes on"
    done = python(["-m", "fastforge", "runworker", "--burst"], cwd=shop.path)
    assert done.returncode == 0, done.stderr
    expected = {
        *IN_LAYERS, *IN_DEPENDENCIES, "async handler", "thread pool", "task", "offload",
        "offload in a process", "sync background", "async background", "job", "job in a thread",
    }  # fmt: skip
    wait_until(lambda: expected <= shop.places_of(answer.request_id), describe=shop.notes())
    assert expected == shop.places_of(answer.request_id)
    elsewhere = {"offload in a process", "job", "job in a thread"}
    wait_until(lambda: expected - elsewhere <= shop.lines_of(answer.request_id))


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("/sync", {*IN_DEPENDENCIES, "sync handler"}),
        ("/stream", {"stream", "stream again"}),
        ("/sync-stream", {"sync stream"}),
        ("/events", {"events"}),
        ("/raises/late", {"exception handler"}),
        ("/raises/too-late", {"sync exception handler"}),
    ],
)
def test_in_every_place_that_another_handler_leads_to(
    shop: Shop, path: str, places: set[str]
) -> None:
    identity = shop.ask("GET", path).request_id
    wait_until(lambda: IN_LAYERS | places <= shop.places_of(identity), describe=shop.notes())
    assert IN_LAYERS | places == shop.places_of(identity)
    wait_until(lambda: IN_LAYERS | places == shop.lines_of(identity), describe=shop.process)


def test_in_a_socket(shop: Shop) -> None:
    with connect(f"ws://localhost:{shop.port}/socket") as session:
        assert session.response is not None
        told = session.response.headers.get("x-request-id")
    noted = wait_until(
        lambda: [identity for place, identity in shop.notes() if place == "socket"],
        describe=shop.process,
    )
    assert noted == [told or noted[0]] != ["None"]  # granian adds no header to a handshake


def test_nothing_that_a_request_binds_is_there_for_the_next_one_on_its_connection(
    shop: Shop,
) -> None:
    host = f"Host: localhost:{shop.port}"
    with Wire(shop.port) as wire:
        for path in ("/sync", "/stream", "/events", "/raises/late", "/raises/too-late"):
            wire.send(f"GET {path} HTTP/1.1", host).answer()
            after = wire.send("GET /bound HTTP/1.1", host).answer()
            assert after.json == NOTHING, path


def test_nor_for_one_that_has_been_waiting_behind_it(shop: Shop) -> None:
    """Servers begin the next request in line from within the one before."""
    host = f"Host: localhost:{shop.port}"
    for path in ("/sync", "/stream", "/raises/late", "/bound"):
        with Wire(shop.port) as wire:
            wire.send(f"GET {path} HTTP/1.1", host)
            wire.send("GET /bound HTTP/1.1", host)
            wire.send("GET /bound HTTP/1.1", host, "Connection: close")
            received = wire.rest()
        *_, second, third = received.split(b"HTTP/1.1 ")
        assert b'"user":null,"own":null}' in second.replace(b" ", b""), (path, received)
        assert b'"user":null,"own":null}' in third.replace(b" ", b""), (path, received)


def test_nor_after_a_body_that_the_server_has_had_to_stop_reading(shop: Shop) -> None:
    """On asyncio's own loop what comes then is heard in the context that has read the body."""
    host = f"Host: localhost:{shop.port}"
    body = b"x" * 900_000
    with Wire(shop.port) as wire:
        wire.send("POST /body HTTP/1.1", host, f"Content-Length: {len(body)}", body=body)
        assert wire.answer().json == len(body)
        for _ in range(2):
            assert wire.send("GET /bound HTTP/1.1", host).answer().json == NOTHING


def test_nor_after_one_that_has_failed_or_whose_client_has_left(shop: Shop) -> None:
    host = f"Host: localhost:{shop.port}"
    assert shop.ask("GET", "/fails").status == 500
    with Wire(shop.port) as wire:
        wire.send("GET /stream HTTP/1.1", host).leave(reset=True)
    for _ in range(3):
        assert shop.ask("GET", "/bound").json == NOTHING
    lines = shop.process.output.splitlines()
    (failed,) = [line for line in lines if "nobody handles this" in line]
    assert '"exception"' in failed
