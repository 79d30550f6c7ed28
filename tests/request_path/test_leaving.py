"""Clients that leave: what still runs, what is committed, what is given back, what is logged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from tests.processes import wait_until

from .site import Site


@pytest.fixture(autouse=True)
def nothing_is_left(each_site: Site) -> Iterator[None]:
    """Whatever a test does, the pool has its connections back and nobody complains."""
    yield
    wait_until(lambda: each_site.connections_out == 0, describe=each_site.process)
    for complaint in ("non-checked-in", "never awaited", "was destroyed", "response already"):
        assert complaint not in each_site.process.output


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_handler_runs_to_its_end_and_commits(each_site: Site, reset: bool) -> None:
    name = f"slow-{reset}"
    wire = each_site.connect().post(f"/api/slow/{name}")
    each_site.wait_for(f"begun {name}")
    each_site.leave(wire, reset=reset)
    assert name not in each_site.names
    each_site.open_gate(name)
    each_site.wait_for(f"ended {name}")
    wait_until(lambda: name in each_site.names)
    line = each_site.line(path=f"/api/slow/{name}")
    assert (line["status_code"], line["route"]) == (200, "/api/slow/{name}")


def test_a_query_runs_to_its_end_and_commits(postgres_site: Site) -> None:
    """The driver waits for the server: nothing cuts that connection, which goes on to serve."""
    wire = postgres_site.connect().post("/api/query/asleep")
    postgres_site.wait_for("begun asleep")
    postgres_site.leave(wire)
    postgres_site.wait_for("ended asleep")
    wait_until(lambda: "asleep" in postgres_site.names)


def test_a_handler_in_a_thread_runs_to_its_end(each_site: Site) -> None:
    wire = each_site.connect().get("/api/thread/blocking")
    each_site.wait_for("begun blocking")
    each_site.leave(wire)
    each_site.open_gate("blocking")
    each_site.wait_for("ended blocking")
    assert each_site.line(path="/api/thread/blocking")["status_code"] == 200


def test_a_handler_that_asks_is_told(each_site: Site) -> None:
    wire = each_site.connect().get("/api/asking/whether")
    each_site.wait_for("begun whether")
    each_site.leave(wire)
    each_site.wait_for("ended whether")


@pytest.mark.parametrize("kind", ["ticks", "events", "silence"])
def test_a_stream_is_cancelled_and_its_finally_runs(each_site: Site, kind: str) -> None:
    """Also one that holds a cursor open, and one that has nothing to say for ever."""
    name = f"stream-{kind}"
    wire = each_site.connect().get(f"/api/{kind}/{name}")
    wire.receive(f"tick {name}".encode())
    each_site.leave(wire)
    each_site.wait_for(f"ended {name}")
    line = each_site.line(path=f"/api/{kind}/{name}")
    assert (line["status_code"], line["cancelled"]) == (200, True)
    assert line["level"] != "error"
    assert "Traceback" not in each_site.process.output


@pytest.mark.parametrize("path", ["/api/upload/half", "/api/parts/half"])
def test_half_a_body_commits_nothing_and_is_no_failure(each_site: Site, path: str) -> None:
    """Neither where FastAPI reads the body nor where the handler does: no row, no traceback."""
    wire = each_site.connect()
    headers = ("Host: localhost", "Content-Type: application/json", "Content-Length: 1000")
    wire.send(f"POST {path} HTTP/1.1", *headers, body=b'"half of')
    if "parts" in path:
        each_site.wait_for("begun half")
    each_site.leave(wire)
    line = each_site.line(path=path)
    assert line["status_code"] < 500
    assert "half" not in each_site.names
    assert "Traceback" not in each_site.process.output


def test_a_request_without_the_body_that_it_promised_commits_nothing(each_site: Site) -> None:
    wire = each_site.connect()
    headers = ("Host: localhost", "Content-Type: application/json", "Content-Length: 1000")
    wire.send("POST /api/upload/empty HTTP/1.1", *headers)
    each_site.leave(wire)
    assert each_site.line(path="/api/upload/empty")["status_code"] < 500
    assert "empty" not in each_site.names


def test_a_socket_keeps_what_it_committed_and_rolls_back_the_rest(each_site: Site) -> None:
    client = connect(f"ws://127.0.0.1:{each_site.port}/api/socket/talk")
    each_site.wait_for("begun talk")
    client.socket.close()
    each_site.wait_for("ended talk")
    wait_until(lambda: each_site.connections_out == 0)
    assert "talk" in each_site.names
    assert "half of talk" not in each_site.names
    assert each_site.line(path="/api/socket/talk")["route"] == "/api/socket/{name}"
    assert "Traceback" not in each_site.process.output
