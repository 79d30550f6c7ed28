"""A server that is told to stop goes through its timeline: each step is seen by its clients."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.processes import Process, Response, fetch, wait_until

from .conftest import Site
from .load import Load
from .stopping import PROJECT

LONG_S = 600
"""As long as a test wants to look at a step; then it sends the second signal."""


@pytest.fixture(params=["project", "plain"])
def application(site: Site, request: pytest.FixtureRequest) -> str:
    """The dotted name of an application: of a project, or of one that knows nothing of ours."""
    site.folder.write(PROJECT)
    kind: str = request.param
    return {"project": "shop.asgi:app", "plain": "plain:app"}[kind]


@contextmanager
def serving(site: Site, application: str, **options: Any) -> Iterator[Process]:
    with site.start(application=application, **options) as server:
        server.wait_for("up")
        wait_until(lambda: fetch(site.url), describe=server)
        yield server


@contextmanager
def draining(site: Site, application: str, **options: Any) -> Iterator[Process]:
    """A server that was told to stop, for as long as the test wants; then it ends at once."""
    with serving(site, application, drain_s=LONG_S, **options) as server:
        server.terminate()
        wait_until(lambda: says_close(fetch(site.url)), describe=server)
        yield server
        server.terminate()
        assert server.wait() == -signal.SIGTERM


def says_close(answer: Response | None) -> bool:
    return answer is not None and answer.headers.get("connection") == "close"


def refused(site: Site) -> None:
    wait_until(lambda: fetch(site.url) is None)


def ask(site: Site, path: str) -> threading.Thread:
    thread = threading.Thread(target=fetch, args=(f"{site.url}{path}",))
    thread.start()
    return thread


def raw(site: Site, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", site.port)) as client:
        client.sendall(request)
        return client.makefile("rb").read()


def test_new_connections_are_taken_while_it_drains_and_each_answer_closes_its_own(
    site: Site, application: str
) -> None:
    with draining(site, application):
        for path, status in {"": 200, "nowhere": 404, "broken": 500}.items():
            answer = fetch(f"{site.url}{path}")
            assert answer is not None
            assert (answer.status, answer.headers.get("connection")) == (status, "close"), path
        malformed = raw(site, b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n")
        assert malformed.startswith(b"HTTP/1.1 400")
        assert b"connection: close" in malformed
        with_stream = http.client.HTTPConnection("127.0.0.1", site.port)
        with_stream.request("GET", "/ticks")
        stream = with_stream.getresponse()
        assert stream.headers.get_all("connection") == ["close"]
        assert stream.read(4) == b"tick"
        with_stream.close()


def test_a_project_that_drains_is_alive_and_not_ready(site: Site) -> None:
    site.folder.write(PROJECT)
    with draining(site, "shop.asgi:app"):
        found = [fetch(f"{site.url}{path}") for path in ("readyz", "livez")]
        assert [answer and answer.status for answer in found] == [503, 200]


def test_then_the_listener_is_closed_and_resources_in_reverse_and_the_code_is_0(
    site: Site, application: str
) -> None:
    with serving(site, application, drain_s=1) as server:
        stream = http.client.HTTPConnection("127.0.0.1", site.port)
        stream.request("GET", "/ticks")
        ticks = stream.getresponse()
        server.terminate()
        wait_until(lambda: says_close(fetch(site.url)), describe=server)
        refused(site)
        assert ticks.read(4) == b"tick"  # which outlives the listener
        assert "down" not in server.output
        stream.close()
        ticks.close()
        assert server.wait() == 0
        if application.startswith("shop"):
            order = ["open first", "open second", "close second", "close first"]
            assert [line for line in server.output.splitlines() if line in order] == order
        assert "Traceback" not in server.output


def test_the_second_signal_ends_it_in_the_middle_of_the_drain(site: Site) -> None:
    site.folder.write(PROJECT)
    with draining(site, "plain:app") as server:
        assert server.alive
    assert server.popen.returncode == -signal.SIGTERM


def test_ctrl_c_does_not_wait_for_a_load_balancer(site: Site) -> None:
    site.folder.write(PROJECT)
    with serving(site, "plain:app", drain_s=LONG_S) as server:
        server.interrupt()
        assert server.wait() == 0
        assert "down" in server.output


def test_a_new_web_socket_is_refused_with_503_while_it_drains(site: Site, application: str) -> None:
    with draining(site, application):
        with pytest.raises(InvalidStatus) as refusal, open_socket(site):
            pass
        response = refusal.value.response
        assert response.status_code == 503
        assert response.headers["Retry-After"] == "1"
        assert json.loads(response.body)["code"] == "middleware.E005"


@contextmanager
def open_socket(site: Site) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{site.port}/socket") as client:
        client.recv()
        yield client


def close_code(client: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed) as closed:
        client.recv()
    return closed.value.rcvd.code if closed.value.rcvd else None


def listening(clients: list[ClientConnection]) -> tuple[list[int | None], list[threading.Thread]]:
    """The close codes of the sockets that have been closed by now, and what waits for others."""
    ended: list[int | None] = []
    threads = [
        threading.Thread(target=lambda each=each: ended.append(close_code(each)))
        for each in clients
    ]
    for thread in threads:
        thread.start()
    return ended, threads


def test_web_sockets_are_closed_one_after_the_other(site: Site) -> None:
    site.folder.write(PROJECT)
    with serving(site, "shop.asgi:app", drain_s=LONG_S) as server, ExitStack() as stack:
        clients = [stack.enter_context(open_socket(site)) for _ in range(4)]
        ended, threads = listening(clients)
        server.terminate()
        wait_until(lambda: ended, describe=server)
        assert fetch(site.url) is not None
        assert ended == [1012]  # the next one has two minutes
        server.kill()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("drain_s", [0, 1])
def test_every_web_socket_is_closed_with_1012(site: Site, application: str, drain_s: float) -> None:
    with serving(site, application, drain_s=drain_s) as server, ExitStack() as stack:
        clients = [stack.enter_context(open_socket(site)) for _ in range(4)]
        ended, threads = listening(clients)
        server.terminate()
        for thread in threads:
            thread.join()
        assert ended == [1012] * 4
        assert server.wait() == 0
        assert "Traceback" not in server.output


def test_an_endless_answer_that_watches_the_signal_ends_by_itself(site: Site) -> None:
    site.folder.write(PROJECT)
    with serving(site, "shop.asgi:app", graceful_s=LONG_S) as server:
        client = http.client.HTTPConnection("127.0.0.1", site.port)
        client.request("GET", "/events")
        stream = client.getresponse()
        assert stream.readline() == b'data: {"last":false}\n'
        server.terminate()
        assert stream.read() == b'\ndata: {"last":true}\n\n'  # and the end of a chunked body
        assert server.wait() == 0
        client.close()


@pytest.mark.parametrize(
    ("application", "path"),
    [
        ("project", "items/7/never"),
        ("project", "stubborn"),
        ("project", "thread"),
        ("plain", "items/7/never"),
        pytest.param("plain", "stubborn", marks=pytest.mark.long),
        pytest.param("plain", "thread", marks=pytest.mark.long),
    ],
    indirect=["application"],
)
def test_a_request_that_hangs_is_answered_with_503_and_logged(
    site: Site, application: str, path: str
) -> None:
    answers: list[Response | None] = []
    options = {"graceful_s": 0.2, "ends_process": True}
    with serving(site, application, **options) as server:
        client = threading.Thread(target=lambda: answers.append(fetch(f"{site.url}{path}")))
        client.start()
        server.wait_for("in flight")
        server.terminate()
        client.join()
        assert server.wait() == 0
        (answer,) = answers
        assert answer is not None
        problem = json.loads(answer.body)
        assert (answer.status, problem["code"]) == (503, "middleware.E005")
        assert (answer.headers["retry-after"], answer.headers["connection"]) == ("1", "close")
        assert problem["request_id"] == answer.headers["x-request-id"]
        template = f"/{path.replace('7', '{item}')}"
        assert (
            f"GET {template} (request {problem['request_id']}): answered with 503,"
            " still running 0.2 s after" in server.output
        )
        assert "down" in server.output
        assert "Traceback" not in server.output


def test_a_stream_is_cut_at_the_end_and_logged(site: Site, application: str) -> None:
    with serving(site, application, graceful_s=0.2) as server:
        client = http.client.HTTPConnection("127.0.0.1", site.port)
        client.request("GET", "/ticks")
        stream = client.getresponse()
        assert stream.read(4) == b"tick"
        server.terminate()
        with pytest.raises(http.client.IncompleteRead):
            stream.read()
        assert server.wait() == 0
        assert "GET /ticks" in server.output
        assert ": cut, still running 0.2 s after" in server.output
        assert "Traceback" not in server.output
        client.close()


def test_a_web_socket_that_was_not_accepted_in_time_is_refused_with_503(
    site: Site, application: str
) -> None:
    refusals: list[InvalidStatus] = []

    def ask_for_socket() -> None:
        with (
            pytest.raises(InvalidStatus) as refusal,
            connect(f"{site.url}undecided".replace("http", "ws")),
        ):
            pass
        refusals.append(refusal.value)

    with serving(site, application, graceful_s=0.2) as server:
        client = threading.Thread(target=ask_for_socket)
        client.start()
        server.wait_for("in flight")
        server.terminate()
        client.join()
        assert server.wait() == 0
        assert "WEBSOCKET /undecided" in server.output
        assert "Traceback" not in server.output
    assert [each.response.status_code for each in refusals] == [503]


def test_a_request_that_has_begun_to_commit_gets_its_own_answer(site: Site) -> None:
    site.folder.write(PROJECT)
    answers: list[Response | None] = []
    with serving(site, "shop.asgi:app", graceful_s=0.1) as server:
        client = threading.Thread(target=lambda: answers.append(fetch(f"{site.url}commits")))
        client.start()
        server.wait_for("in flight")
        server.terminate()
        client.join()
        assert server.wait() == 0
        assert "about to be answered, still running 0.1 s after" in server.output
    assert [answer and (answer.status, answer.body) for answer in answers] == [(200, '"committed"')]


def test_of_many_requests_that_hang_some_are_named_and_the_others_counted(site: Site) -> None:
    site.folder.write(PROJECT)
    with serving(site, "plain:app", graceful_s=0.2) as server:
        clients = [ask(site, "items/7/never") for _ in range(23)]
        wait_until(lambda: server.output.count("in flight") == 23, describe=server)
        server.terminate()
        for client in clients:
            client.join()
        assert server.wait() == 0
        assert server.output.count("answered with 503") == 20
        assert "3 more requests, still running" in server.output


def test_after_so_many_requests_it_stops_in_the_same_way(site: Site, application: str) -> None:
    options = {"max_requests": 100, "drain_s": 1, "linger_s": 1, "owns_listeners": True}
    with serving(site, application, **options) as server:
        with Load(site.port, threads=2) as load:
            wait_until(lambda: load.answered >= 100, describe=server)
            wait_until(lambda: says_close(fetch(site.url)), describe=server)
        assert not load.failures
        assert server.wait() == 0
        assert "down" in server.output
