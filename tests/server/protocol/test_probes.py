"""What is no request, or too large a one, is refused before an application sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from fastforge.test.server import live_server
from tests.request_path.site import Site
from tests.request_path.wire import Answer, Wire

CLOSE = "Connection: close"
GET = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST /read HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

MALFORMED = (400, "server.E020")
HOST = (400, "middleware.E002")
OTHER_HOST = (400, "server.E021")
LONG_URL = (414, "server.E022")
LARGE_HEAD = (431, "middleware.E001")
LARGE_BODY = (413, "web.E040")

PROBES: dict[str, tuple[tuple[int, str], bytes]] = {
    "no host": (HOST, b"GET /ready HTTP/1.1\r\n\r\n"),
    "no host, nor a version that needs one": (HOST, b"GET /ready HTTP/1.0\r\n\r\n"),
    "two hosts": (HOST, GET + b"Host: localhost\r\n\r\n"),
    "an odd host": (HOST, b"GET /ready HTTP/1.1\r\nHost: a b/c?x\r\n\r\n"),
    "an empty host": (HOST, b"GET /ready HTTP/1.1\r\nHost:\r\n\r\n"),
    "another host": (HOST, b"GET /ready HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    "the URL of another host": (
        OTHER_HOST,
        b"GET http://evil.example/ready HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    "the URL of another port": (
        OTHER_HOST,
        b"GET http://localhost:81/ready HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    "a URL with a user": (
        OTHER_HOST,
        b"GET http://me:secret@localhost/ready HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    "a length and chunks": (
        MALFORMED,
        POST + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    ),
    "chunks and a length": (
        MALFORMED,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
    ),
    "an unknown encoding": (MALFORMED, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "chunks that are not the last encoding": (
        MALFORMED,
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ),
    "a space before the colon": (
        MALFORMED,
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    "two lengths": (MALFORMED, POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    "a length with a sign": (MALFORMED, POST + b"Content-Length: +5\r\n\r\nhello"),
    "a length that is none": (MALFORMED, POST + b"Content-Length: 5a\r\n\r\nhello"),
    "a negative chunk": (MALFORMED, CHUNKED + b"-1\r\nx\r\n0\r\n\r\n"),
    "a chunk without an end": (MALFORMED, CHUNKED + b"1\r\nxx0\r\n\r\n"),
    "bare line feeds": (MALFORMED, b"GET /ready HTTP/1.1\nHost: localhost\n\n"),
    "one bare line feed": (MALFORMED, GET + b"X: a\nY: b\r\n\r\n"),
    "a bare carriage return": (MALFORMED, GET + b"X: a\rb\r\n\r\n"),
    "a folded line": (MALFORMED, GET + b"X: a\r\n b\r\n\r\n"),
    "an escape": (MALFORMED, GET + b"X: a\x1bb\r\n\r\n"),
    "a NUL": (MALFORMED, GET + b"X: a\0b\r\n\r\n"),
    "a header without a colon": (MALFORMED, GET + b"nonsense\r\n\r\n"),
    "a header without a name": (MALFORMED, GET + b": a\r\n\r\n"),
    "a control character in the URL": (MALFORMED, b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n"),
    "an unknown method": (MALFORMED, b"GOT /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "an unknown version": (MALFORMED, b"GET /ready HTTP/3.7\r\nHost: localhost\r\n\r\n"),
    "a tunnel": (MALFORMED, b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n"),
    "a tunnel for a web socket": (
        MALFORMED,
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\n\r\n",
    ),
    "the preface of HTTP/2": (MALFORMED, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a handshake of TLS": (MALFORMED, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "many headers": (LARGE_HEAD, GET + b"X: y\r\n" * 100 + b"\r\n"),
    "very many headers": (LARGE_HEAD, GET + b"X: y\r\n" * 5000 + b"\r\n"),
    "a long header": (LARGE_HEAD, GET + b"X: " + b"a" * 40_000 + b"\r\n\r\n"),
    "a very long header": (LARGE_HEAD, GET + b"X: " + b"a" * 2_000_000 + b"\r\n\r\n"),
    "a header without an end": (LARGE_HEAD, GET + b"X: " + b"a" * 200_000),
    "many headers without an end": (LARGE_HEAD, GET + b"X: y\r\n" * 102),
    "a long URL": (LONG_URL, b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "a very long URL": (
        LONG_URL,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ),
    "a URL without an end": (LONG_URL, b"GET /" + b"a" * 200_000),
    "a large body": (LARGE_BODY, POST + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000),
    "a large body that does not come": (LARGE_BODY, POST + b"Content-Length: 5000\r\n\r\n"),
    "a large body in chunks": (LARGE_BODY, CHUNKED + b"1388\r\n" + b"x" * 5000 + b"\r\n"),
}

SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}


def ask(port: int, data: bytes) -> tuple[Answer, Wire]:
    wire = Wire(port)
    wire.socket.sendall(data)
    return wire.answer(), wire


@pytest.mark.parametrize("probe", PROBES)
def test_a_probe_is_refused_with_a_problem_its_id_the_headers_and_one_line(
    site: Site, probe: str
) -> None:
    (status, code), data = PROBES[probe]
    answer, wire = ask(site.port, data)
    with wire:
        assert (answer.status, answer.json["code"]) == (status, code)
        assert answer.one("content-type") == "application/problem+json"
        assert answer.json["request_id"] == answer.request_id
        assert {name: answer.one(name) for name in SECURITY} == SECURITY
        if code.startswith("server."):
            assert answer.one("connection") == "close"
            assert wire.rest() == b""
    line = site.line_of(answer)
    assert (line["status_code"], line["level"]) == (status, "info")
    assert "secret" not in json.dumps(line)
    assert site.get("/ready").status == 200


FINE: dict[str, bytes] = {
    "its own URL": b"GET http://localhost/ready HTTP/1.1\r\nHost: localhost:80\r\n",
    "a URL in other letters": b"GET HTTP://LOCALHOST/ready HTTP/1.1\r\nHost: localhost\r\n",
    "a URL with a port": b"GET http://localhost:8000/ready HTTP/1.1\r\nHost: localhost:8000\r\n",
    "as many headers as there may be": GET + b"X: y\r\n" * 98,
    "a large header": GET + b"X: " + b"a" * 30_000 + b"\r\n",
    "a long URL": b"GET /ready?" + b"a" * 8000 + b" HTTP/1.1\r\nHost: localhost\r\n",
    "empty lines first": b"\r\n\r\n" + GET,
    "an old version": b"GET /ready HTTP/1.0\r\nHost: localhost\r\n",
}


@pytest.mark.parametrize("case", FINE)
def test_what_is_within_the_limits_is_answered(site: Site, case: str) -> None:
    answer, wire = ask(site.port, FINE[case] + b"Connection: close\r\n\r\n")
    with wire:
        assert answer.status == 200


@pytest.mark.parametrize("case", ["headers", "URL"])
def test_small_pieces_of_something_too_large_are_refused(site: Site, case: str) -> None:
    begin = GET if case == "headers" else b"GET /"
    with Wire(site.port) as wire:
        wire.socket.sendall(begin)
        for _ in range(100):
            wire.socket.sendall(b"X: " + b"a" * 997 + b"\r\n" if case == "headers" else b"a" * 1000)
        assert wire.answer().status == (431 if case == "headers" else 414)


def test_requests_in_one_packet_are_answered_in_their_order(site: Site) -> None:
    requests = b"".join(
        b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % length
        + b"x" * length
        for length in range(20)
    )
    with Wire(site.port) as wire:
        wire.socket.sendall(requests + GET + b"Connection: close\r\n\r\n")
        _, *answers = wire.rest().split(b"HTTP/1.1 200 OK\r\n")
    bodies = [json.loads(answer.partition(b"\r\n\r\n")[2]) for answer in answers]
    assert bodies == [*({"length": length} for length in range(20)), {}]


def test_what_is_no_request_behind_others_is_not_answered_among_them(site: Site) -> None:
    """The answers to the requests before it come whole, and then the connection ends."""
    request = b"GET /late?seconds=0.2 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Wire(site.port) as wire:
        wire.socket.sendall(request + request + b"nonsense\r\n\r\n")
        received = wire.rest()
    assert received.count(b"HTTP/1.1 ") == received.count(b"HTTP/1.1 200 OK") == 2
    assert received.endswith(b"{}")


def test_a_client_may_not_have_any_number_of_requests_in_line(site: Site) -> None:
    """Those that are in it are answered; the connection ends behind them."""
    request = b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Wire(site.port) as wire:
        wire.socket.sendall(request * 2000)
        received = wire.rest()
    assert 100 <= received.count(b"HTTP/1.1 200 OK") == received.count(b"HTTP/1.1 ") <= 102
    assert received.endswith(b"{}")


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


@pytest.mark.parametrize("cut", [0, 3, 40])
@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_whoever_asks_for_another_protocol_is_answered_in_this_one(
    site: Site, framing: str, cut: int
) -> None:
    """The body is read, and is no request, whatever stands in it; the connection goes on."""
    inner = GET + b"X: " + b"y" * 20 + b"\r\n\r\n"
    if framing == "length":
        head, body = b"Content-Length: %d\r\n\r\n" % len(inner), inner
    else:
        head, body = b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n"
        body %= (len(inner), inner)
    with Wire(site.port) as wire:
        for _ in range(2):
            wire.socket.sendall(POST + UPGRADE + head + body[:cut])
            time.sleep(0.05)  # the server has read that much, or reads it with the rest: both count
            wire.socket.sendall(body[cut:])
            assert wire.answer().json == {"length": len(inner)}
        assert wire.get("/ready").answer().status == 200


def test_requests_behind_one_that_asks_for_another_protocol_are_answered(site: Site) -> None:
    with Wire(site.port) as wire:
        wire.socket.sendall((GET + UPGRADE + b"\r\n") * 3 + GET + b"Connection: close\r\n\r\n")
        assert wire.rest().count(b"HTTP/1.1 200 OK") == 4


def test_trailers_are_no_headers(site: Site) -> None:
    """A proxy that takes care of headers has not looked at them."""
    trailers = b"X-Seen: trailer\r\n" * 1000
    with Wire(site.port) as wire:
        wire.socket.sendall(
            b"POST /seen HTTP/1.1\r\nHost: localhost\r\nX-Seen: header\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + trailers + b"\r\n"
        )
        assert wire.answer().json == ["header"]
        assert wire.get("/ready").answer().status == 200


EXPECT = b"Expect: 100-continue\r\n"


def test_a_refused_body_that_was_announced_is_not_waited_for(site: Site) -> None:
    """The client does not send it, so that what it sends next would be taken for the body."""
    answer, wire = ask(site.port, POST + EXPECT + b"Content-Length: 5000\r\n\r\n")
    with wire:
        assert (answer.status, answer.one("connection")) == (413, "close")
        assert wire.rest() == b""


def test_a_body_that_is_not_read_is_not_waited_for(site: Site) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: localhost\r\n" + EXPECT + b"Content-Length: 5\r\n\r\n"
    answer, wire = ask(site.port, head)
    with wire:
        assert (answer.status, answer.one("connection")) == (200, "close")
        assert wire.rest() == b""


def test_a_body_that_was_asked_for_leaves_the_connection_open(site: Site) -> None:
    with Wire(site.port) as wire:
        wire.socket.sendall(POST + EXPECT + b"Content-Length: 5\r\n\r\n")
        wire.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
        wire.socket.sendall(b"hello")
        assert wire.answer().json == {"length": 5}
        assert wire.get("/ready").answer().status == 200


def test_a_connection_goes_on_after_a_refused_body_has_come(site: Site) -> None:
    with Wire(site.port) as wire:
        wire.socket.sendall(POST + b"Content-Length: 5000\r\n\r\n")
        assert wire.answer().status == 413
        wire.socket.sendall(b"x" * 5000)
        assert wire.get("/ready").answer().status == 200


def test_an_answer_arrives_although_its_request_is_still_being_sent(site: Site) -> None:
    """Many clients read nothing before they have sent everything."""
    head = b"POST /unread HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    with Wire(site.port) as wire:
        wire.socket.sendall(head + b"Content-Length: 50000000\r\n\r\n")
        for _ in range(50):
            wire.socket.sendall(bytes(1_000_000))
        answer = wire.answer()
        assert (answer.status, answer.one("connection")) == (413, "close")
        assert wire.rest() == b""


def test_a_flood_of_refusals_has_some_lines_and_their_number(site: Site) -> None:
    before, count = len(site.lines), 400
    for _ in range(count):
        with Wire(site.port) as wire:
            wire.socket.sendall(b"nonsense\r\n\r\n")
            assert wire.answer().status == 400
    site.wait_for("more requests were refused, without a line")
    assert 0 < len(site.lines) - before < count


@pytest.fixture(scope="module")
def plain_port() -> Iterator[int]:
    """An application that is no project."""

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"plain"})

    with live_server(app) as url:
        yield int(url.rpartition(":")[2])


FOR_PROJECTS = {"another host", "no host, nor a version that needs one"}
OF_PLAIN = [
    name for name, ((status, _), _) in PROBES.items() if status != 413 and name not in FOR_PROJECTS
]


@pytest.mark.parametrize("probe", OF_PLAIN)
def test_a_probe_is_refused_in_front_of_any_application(plain_port: int, probe: str) -> None:
    (status, code), data = PROBES[probe]
    answer, wire = ask(plain_port, data)
    with wire:
        if b"chunked\r\n\r\n" in data and answer.status == 200:
            return  # the head was fine, and this application answers without the body
        assert (answer.status, answer.json["code"]) == (status, code)
        assert answer.one("connection") == "close"
        assert answer.json["request_id"] == answer.request_id
