"""Every way in which a request can fail ends alike: a problem, its id, the headers, one line."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.processes import wait_until

from .site import Site
from .wire import Answer, Wire

ORIGIN = "Origin: https://page.example"
JSON = "Content-Type: application/json"
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}
SECRET = "sesame"

Ask = Callable[[Site], Answer]


def sent(*lines: str, body: bytes = b"") -> Ask:
    """Send exactly this, and the page's origin."""

    def ask(site: Site) -> Answer:
        with site.connect() as wire:
            return wire.send(*lines, ORIGIN, body=body).answer()

    return ask


def got(path: str, *headers: str) -> Ask:
    return sent(f"GET {path} HTTP/1.1", "Host: localhost", *headers)


def posted(path: str, *headers: str, body: bytes) -> Ask:
    length = f"Content-Length: {len(body)}"
    return sent(f"POST {path} HTTP/1.1", "Host: localhost", length, *headers, body=body)


def chunked(path: str, body: bytes) -> Ask:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return sent(
        f"POST {path} HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked", JSON, body=chunks
    )


LARGE = b'"' + SECRET.encode() * 500 + b'"'

CASES: dict[str, tuple[int, Ask]] = {
    "no such path": (404, got(f"/nowhere/{SECRET}")),
    "wrong method": (405, posted("/inside", body=b"")),
    "raised by the handler": (418, got(f"/api/refuses/{SECRET}")),
    "invalid value": (422, posted("/api/marks/" + SECRET, body=b"")),
    "invalid body": (422, posted("/api/upload/x", JSON, body=b'{"%b": 1}' % SECRET.encode())),
    "no JSON": (422, posted("/api/upload/x", JSON, body=b'"' + SECRET.encode())),
    "no text": (400, posted("/api/upload/x", JSON, body=b'"\xff\xfe' + SECRET.encode() + b'"')),
    "large body": (413, posted("/api/upload/large", JSON, body=LARGE)),
    "large body, chunked": (413, chunked("/api/upload/large", LARGE)),
    "large for a larger limit": (413, posted("/api/large/x", JSON, body=LARGE * 4)),
    "large for a larger limit, chunked": (413, chunked("/api/large/x", LARGE * 4)),
    "handler raises": (500, got(f"/api/raises/{SECRET}")),
    "time is over": (504, posted("/api/late/time", body=b"")),
    "other host": (400, sent("GET /inside HTTP/1.1", f"Host: {SECRET}.example")),
    "odd host": (400, sent("GET /inside HTTP/1.1", f"Host: a b/{SECRET}?x")),
    "two hosts": (400, sent("GET /inside HTTP/1.1", "Host: localhost", "Host: localhost")),
    "no host": (400, sent("GET /inside HTTP/1.1")),
    "many headers": (431, got("/inside", *(f"X-{number}: {SECRET}" for number in range(20)))),
    "long headers": (431, got("/inside", f"X-Long: {SECRET * 1000}")),
}

# An application of somebody else's, mounted in ours, has an error shape of its own.
MOUNTED: dict[str, tuple[int, Ask]] = {
    "no such path": (404, got("/api/mounted/nowhere")),
    "wrong method": (405, sent("DELETE /api/mounted/pages/1 HTTP/1.1", "Host: localhost")),
    "invalid body": (422, posted("/api/mounted/pages/1", JSON, body=b"{}")),
    "large body": (413, posted("/api/mounted/pages/1", JSON, body=LARGE)),
    "large body, chunked": (413, chunked("/api/mounted/pages/1", LARGE)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_refusal_is_a_problem_with_its_id_the_headers_and_one_line(
    strict_site: Site, case: str
) -> None:
    status, ask = CASES[case]
    answer = ask(strict_site)
    assert answer.status == status, answer
    holds(strict_site, answer)


def holds(site: Site, answer: Answer) -> None:
    """What is so of every answer of ours that says that something is wrong."""
    assert answer.one("content-type") == "application/problem+json"
    assert answer.json["status"] == answer.status
    assert answer.json["request_id"] == answer.request_id
    assert SECRET not in answer.body.decode()
    holds_outside(site, answer)


def holds_outside(site: Site, answer: Answer) -> None:
    """What is so whoever has answered."""
    assert {name: answer.one(name) for name in SECURITY} == SECURITY
    assert answer.one("access-control-allow-origin") == "https://page.example"
    line = site.line_of(answer)
    assert line["status_code"] == answer.status
    assert (line["level"] == "info") == (answer.status < 500)


@pytest.mark.parametrize("case", MOUNTED)
def test_a_refusal_of_a_mounted_application_has_the_id_the_headers_and_one_line(
    strict_site: Site, case: str
) -> None:
    status, ask = MOUNTED[case]
    answer = ask(strict_site)
    assert answer.status == status, answer
    holds_outside(strict_site, answer)


def test_a_wrong_method_names_the_right_ones(strict_site: Site) -> None:
    answer = strict_site.post("/inside")
    assert (answer.status, answer.one("allow")) == (405, "GET")


def test_the_answer_to_a_body_that_nobody_reads_is_true(strict_site: Site) -> None:
    """Either it is refused and nothing has happened, or the row is there."""
    answer = strict_site.post("/api/notes/unread", body=LARGE)
    assert (answer.status, "unread" in strict_site.names) in ((413, False), (201, True))


def test_a_route_may_take_more_than_the_others(strict_site: Site) -> None:
    for ask in (posted("/api/large/x", JSON, body=LARGE), chunked("/api/large/x", LARGE)):
        answer = ask(strict_site)
        assert (answer.status, answer.json) == (200, {"length": len(LARGE) - 2})


def test_a_connection_goes_on_after_a_refusal(strict_site: Site) -> None:
    with strict_site.connect() as wire:
        assert wire.get("/nowhere").answer().status == 404
        assert wire.send("GET /inside HTTP/1.1", "Host: other.example").answer().status == 400
        assert wire.get("/ready").answer().status == 200


def test_more_requests_than_the_limit_are_told_when_to_come_back(strict_site: Site) -> None:
    with ExitStack() as held:
        wires = [waiting(strict_site, held, f"busy{number}") for number in range(3)]
        answer = got("/inside")(strict_site)
        assert (answer.status, answer.one("retry-after")) == (503, "1")
        holds(strict_site, answer)
        assert strict_site.get("/livez").status == 200
        for number in range(3):
            strict_site.open_gate(f"busy{number}")
        assert [wire.answer().status for wire in wires] == [200, 200, 200]
    assert strict_site.get("/inside").status == 200


def waiting(site: Site, held: ExitStack, name: str) -> Wire:
    wire = held.enter_context(site.connect()).get(f"/api/waiting/{name}")
    site.wait_for(f"begun {name}")
    return wire


def test_a_request_that_was_left_counts_until_its_handler_has_ended(strict_site: Site) -> None:
    for number in range(3):
        wire = strict_site.connect().get(f"/api/waiting/left{number}")
        strict_site.wait_for(f"begun left{number}")
        wire.leave()
    assert got("/inside")(strict_site).status == 503
    for number in range(3):
        strict_site.open_gate(f"left{number}")
    wait_until(lambda: strict_site.get("/inside").status == 200, describe=strict_site.process)


def test_a_stream_that_was_left_counts_no_more(strict_site: Site) -> None:
    for number in range(9):
        with strict_site.connect() as wire:
            wire.get(f"/api/silence/{number}").receive(b"tick")
        strict_site.wait_for(f"ended {number}")
    wait_until(lambda: strict_site.get("/inside").status == 200, describe=strict_site.process)


def test_a_handler_whose_time_is_over_is_cancelled_and_rolled_back(strict_site: Site) -> None:
    answer = strict_site.post("/api/late/cut")
    assert answer.status == 504
    strict_site.wait_for("ended cut")
    line = strict_site.line_of(answer)
    assert (line["route"], line["status_code"]) == ("/api/late/{name}", 504)
    assert "cut" not in strict_site.names
    assert strict_site.connections_out == 0


def test_the_client_of_a_thread_does_not_wait_for_it(strict_site: Site) -> None:
    answer = strict_site.get("/api/late-thread/blocked")
    assert answer.status == 504
    assert "ended blocked" not in strict_site.process.output
    strict_site.open_gate("blocked")
    strict_site.wait_for("ended blocked")
    assert strict_site.line_of(answer)["status_code"] == 504


def test_a_handler_that_goes_on_after_its_504_commits_nothing(strict_site: Site) -> None:
    answer = strict_site.post("/api/late-stubborn/mule")
    assert answer.status == 504
    strict_site.wait_for("held mule")
    assert "ended mule" not in strict_site.process.output
    strict_site.open_gate("mule")
    strict_site.wait_for("ended mule")
    wait_until(lambda: strict_site.connections_out == 0)
    assert "mule" not in strict_site.names
    assert strict_site.line_of(answer)["status_code"] == 504
