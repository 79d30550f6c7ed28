"""Clients that are slow, in each thing that a server waits for; and those that only look it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self

import pytest

from tests.processes import wait_until
from tests.request_path.site import Site
from tests.request_path.wire import Wire

from .conftest import LIMIT_S

LONG_S = 2.5 * LIMIT_S
HEAD = b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: "


def drip(wire: Wire, data: bytes, ending: threading.Event) -> None:
    """Send a byte ten times in a limit, until the server has had enough."""
    for number in range(len(data)):
        if ending.wait(LIMIT_S / 10):
            return
        try:
            wire.socket.sendall(data[number : number + 1])
        except OSError:
            return


def rest_while_dripping(wire: Wire, data: bytes) -> bytes:
    """What the server says to a client that sends bytes without an end to it."""
    ending = threading.Event()
    thread = threading.Thread(target=drip, args=(wire, data, ending))
    thread.start()
    try:
        return received_until_end(wire)
    finally:
        ending.set()
        thread.join()


def received_until_end(wire: Wire) -> bytes:
    received = b""
    try:
        while more := wire.socket.recv(65536):
            received += more
    except ConnectionResetError:
        pass
    return received


def test_a_new_connection_that_says_nothing_is_closed(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        assert wire.rest() == b""


def test_a_connection_that_sends_empty_lines_is_closed(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        assert rest_while_dripping(wire, b"\r\n" * 1000) == b""


@pytest.mark.parametrize("begun", [b"G", b"GET /ready HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_half_a_request_and_silence_is_answered_with_408(hasty: Site, begun: bytes) -> None:
    with Wire(hasty.port) as wire:
        wire.socket.sendall(begun)
        answer = wire.answer()
        assert (answer.status, answer.json["code"]) == (408, "server.E023")
        assert answer.one("connection") == "close"
        assert wire.rest() == b""
    assert hasty.line_of(answer)["status_code"] == 408


def test_headers_that_come_byte_by_byte_are_answered_with_408(hasty: Site) -> None:
    head = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 1000
    with Wire(hasty.port) as wire:
        assert rest_while_dripping(wire, head).startswith(b"HTTP/1.1 408 ")


def test_half_of_a_second_request_is_answered_with_408(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        assert wire.get("/ready").answer().status == 200
        wire.socket.sendall(b"GET /ready HTTP/1.1\r\nHo")
        assert wire.answer().status == 408
        assert wire.rest() == b""


def test_an_idle_connection_is_closed_without_a_word(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        assert wire.get("/ready").answer().status == 200
        assert wire.rest() == b""


def test_a_body_that_stops_is_answered_with_408_and_has_one_line(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        wire.socket.sendall(HEAD + b"5000\r\n\r\nhello")
        answer = wire.answer()
        assert (answer.status, answer.json["code"]) == (408, "server.E024")
        assert wire.rest() == b""
    line = hasty.line_of(answer)
    assert (line["status_code"], line["path"], line["route"]) == (408, "/read", "/read")
    hasty.wait_for("read: ClientDisconnect")


def test_a_body_that_is_too_slow_is_answered_with_408(hasty: Site) -> None:
    """It comes steadily, ten bytes a second, where a thousand are asked for."""
    with Wire(hasty.port) as wire:
        wire.socket.sendall(HEAD + b"5000\r\n\r\n")
        assert rest_while_dripping(wire, b"x" * 5000).startswith(b"HTTP/1.1 408 ")


def test_chunks_that_do_not_come_are_answered_with_408(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        wire.send("POST /read HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked")
        wire.socket.sendall(b"5\r\nhello\r\n")
        assert wire.answer().status == 408


def test_the_rest_of_a_body_that_nobody_reads_is_not_waited_for_long(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        wire.send("POST /unread HTTP/1.1", "Host: localhost", "Content-Length: 5000")
        assert wire.answer().status == 200
        assert rest_while_dripping(wire, b"x" * 5000) == b""


def test_whoever_never_reads_is_cut_off(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        wire.get("/endless")
        hasty.wait_for("reader is gone")
        assert hasty.get("/ready").status == 200


def test_a_handler_that_takes_its_time_is_no_fault_of_the_client(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        assert wire.get(f"/late?seconds={LONG_S}").answer().status == 200


def test_a_client_may_wait_for_a_handler_that_does_not_read_yet(hasty: Site) -> None:
    """Its body is larger than what is read ahead: the server itself has stopped reading."""
    body = bytes(5_000_000)
    with Wire(hasty.port) as wire:
        wire.send(
            f"POST /read?after={LONG_S} HTTP/1.1",
            "Host: localhost",
            f"Content-Length: {len(body)}",
            body=body,
        )
        assert wire.answer().json == {"length": len(body)}


def test_a_client_may_wait_to_be_asked_for_its_body(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        wire.send(
            f"POST /read?after={LONG_S} HTTP/1.1",
            "Host: localhost",
            "Content-Length: 5",
            "Expect: 100-continue",
        )
        wire.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
        wire.socket.sendall(b"hello")
        assert wire.answer().json == {"length": 5}


def test_what_was_sent_while_the_event_loop_was_blocked_is_in_time(hasty: Site) -> None:
    with Wire(hasty.port) as blocking, Wire(hasty.port) as wire:
        wire.socket.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n")
        blocking.get(f"/blocking?seconds={LONG_S}")
        wire.socket.sendall(b"\r\n")
        assert wire.answer().status == 200
        assert blocking.answer().status == 200


def test_a_second_request_may_be_late_while_the_first_is_answered(hasty: Site) -> None:
    with Wire(hasty.port) as wire:
        wire.get(f"/late?seconds={LONG_S}")
        wire.socket.sendall(b"GET /ready HTTP/1.1\r\nHost: local")
        assert wire.answer().status == 200
        wire.socket.sendall(b"host\r\n\r\n")
        assert wire.answer().status == 200


KINDS = (
    b"",
    b"GET /ready HTTP/1.1\r\nHost: localhost\r\nX: ",
    HEAD + b"5000\r\n\r\nhello",
    b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n",
)


class SlowClients:
    """Clients that are slow in each of these ways, and come back when their connection is cut."""

    def __init__(self, port: int, count: int) -> None:
        self.closed = 0
        self._port = port
        self._ending = threading.Event()
        kinds = (KINDS[number % len(KINDS)] for number in range(count))
        self._threads = [threading.Thread(target=self._be_slow, args=(kind,)) for kind in kinds]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _be_slow(self, kind: bytes) -> None:
        while not self._ending.is_set():
            with Wire(self._port) as wire, suppress(ConnectionError):
                wire.socket.sendall(kind)
                if kind is KINDS[-1]:  # it reads nothing
                    self._ending.wait(3 * LIMIT_S)
                else:
                    wire.rest()
                    self.closed += 1


@pytest.mark.parametrize("count", [60, pytest.param(500, marks=pytest.mark.long)])
def test_slow_clients_do_not_stop_the_service(hasty: Site, count: int) -> None:
    with SlowClients(hasty.port, count) as slow:
        for _ in range(50):
            assert hasty.get("/ready").status == 200
        wait_until(lambda: slow.closed >= count)
        for _ in range(50):
            assert hasty.get("/ready").status == 200
    assert "Traceback" not in hasty.process.output


def test_a_web_socket_has_none_of_these_limits(hasty: Site) -> None:
    """It is handed over, and no longer looked at."""
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=60) as client:
        client.sendall(
            b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 403 ")
