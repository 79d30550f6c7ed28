"""What the edge tells of a request, and what a pure layer around the handlers sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from .site import Site

UUID_7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
BOOKS = "/api/clubs/{club}/members/{member}/books/{book}"
"""Its last parameter is declared as `{book:path}`."""
FIELDS = {
    "timestamp", "level", "event", "logger", "pid", "role", "request_id", "method", "path",
    "route", "status_code", "duration_ms", "response_bytes", "client",
}  # fmt: skip


def test_a_layer_sees_the_context_variables_that_the_handler_has_set(site: Site) -> None:
    answer = site.get("/api/readers/ann")
    site.wait_for("layer sees ann")
    assert answer.json == {"request_id": answer.request_id}


def test_a_line_says_what_was_asked_and_what_became_of_it(site: Site) -> None:
    answer = site.get("/api/readers/eve?secret=1")
    line = site.line_of(answer)
    assert line.keys() == FIELDS
    assert UUID_7.fullmatch(line["request_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|\+00:00)", line["timestamp"])
    assert line["duration_ms"] >= 0
    assert {"level": "info", "method": "GET", "path": "/api/readers/eve"}.items() <= line.items()
    assert line["client"] == "127.0.0.1"
    assert site.process.output.count("/api/readers/eve") == 1, "a line of the server too"
    assert "secret" not in site.process.output


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/readers/ann", "/api/readers/{name}"),
        (
            "/api/clubs/7/members/9/books/a/b",
            "/api/clubs/{club}/members/{member}/books/{book}",
        ),
        ("/api/clubs/7/members/x/books/a", "/api/clubs/{club}/members/{member}/books/{book}"),
        ("/api/nowhere/7", None),
        ("/inside", "/inside"),
    ],
    ids=["one level", "two levels", "invalid", "unmatched", "static"],
)
def test_a_line_names_the_route_with_the_prefixes_of_its_inclusions(
    site: Site, path: str, route: str | None
) -> None:
    line = site.line_of(site.get(path))
    assert (line["path"], line["route"]) == (path, route)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/mounted/pages/7", "/api/mounted/pages/{page}"),
        ("/api/mounted/nowhere/7", "/api/mounted/{path}"),
    ],
)
def test_a_line_names_the_route_inside_a_mounted_application(
    site: Site, path: str, route: str
) -> None:
    line = site.line_of(site.get(path))
    assert line["path"] == path
    assert line["route"] == route


def test_the_line_of_a_stream_is_written_at_its_last_byte(site: Site) -> None:
    with site.connect() as wire:
        wire.get("/api/held/stream").receive(b"first")
        site.line_of(site.get("/api/readers/meanwhile"))
        assert not [line for line in site.lines if line["path"] == "/api/held/stream"]
        site.open_gate("stream")
        wire.receive(b"last")
    line = site.line(path="/api/held/stream")
    assert (line["status_code"], line.get("cancelled"), line.get("failure")) == (200, None, None)
    beside = site.line(path="/api/readers/meanwhile")
    assert line["duration_ms"] >= beside["duration_ms"]


def test_a_stream_that_fails_after_its_first_byte_is_no_success(site: Site) -> None:
    with site.connect() as wire:
        received = wire.get("/api/breaks/ann").receive(b"first")
        rest = wire.rest()
    assert received.startswith(b"HTTP/1.1 200")
    assert not rest.endswith(b"0\r\n\r\n"), "the client could take it for the whole"
    line = site.line(path="/api/breaks/ann")
    assert (line["status_code"], line["failure"]) == (200, "LookupError")
    assert line["level"] == "error"
    assert line["response_bytes"] == len(b"first")
    told_once(site, line, "the drawer of ann is empty")


def test_a_handler_that_raises_is_a_500_with_the_id_of_its_line(site: Site) -> None:
    answer = site.get("/api/raises/bob")
    assert (answer.status, answer.one("content-type")) == (500, "application/problem+json")
    assert answer.json["request_id"] == answer.request_id
    assert b"drawer" not in answer.body
    line = site.line_of(answer)
    assert (line["status_code"], line["failure"]) == (500, "LookupError")
    assert line["route"] == "/api/raises/{name}"
    told_once(site, line, "the drawer of bob is empty")


def told_once(site: Site, line: dict[str, Any], message: str) -> None:
    """Its line has the exception with the place, and the server does not log it once more."""
    exception = line["exception"]
    assert (exception["type"], exception["message"]) == ("LookupError", message)
    place = exception["frames"][-1]
    assert (Path(place["file"]).name, place["source"][:17]) == ("layered.py", "raise LookupError")
    assert site.process.output.count(message) == 1


def test_a_refusal_of_the_handlers_is_no_failure(site: Site) -> None:
    line = site.line_of(site.get("/api/refuses/ann"))
    assert (line["status_code"], line["level"], line.get("failure")) == (418, "info", None)


def test_background_tasks_do_not_delay_the_line(site: Site) -> None:
    answer = site.get("/api/later/slowly")
    site.wait_for("begun slowly")
    site.line_of(answer)
    assert "ended slowly" not in site.process.output
    site.open_gate("slowly")
    site.wait_for("ended slowly")
    assert site.line_of(answer)["status_code"] == 200


def test_a_background_task_that_fails_writes_no_second_line(site: Site) -> None:
    answer = site.get("/api/later-fails/cid")
    site.wait_for("the drawer of cid is empty")
    line = site.line_of(answer)
    assert (answer.status, line["status_code"], line["level"]) == (200, 200, "info")


@pytest.mark.parametrize("given", ["abc-123", "x" * 300, "\x1b[31m", "a b", 'a"b\\', "\xe9"])
def test_an_id_from_outside_is_not_taken_over(site: Site, given: str) -> None:
    """Nobody but a trusted proxy may say what stands in our log."""
    answer = site.get("/inside", f"X-Request-ID: {given}")
    if answer.status == 400:  # the server's own parser refuses control characters
        return
    assert UUID_7.fullmatch(answer.request_id)
    site.line_of(answer)
    assert given not in site.process.output


def test_every_request_of_a_kept_connection_has_a_line_and_an_id_of_its_own(site: Site) -> None:
    with site.connect() as wire:
        ids = [wire.get("/ready").answer().request_id for _ in range(5)]
        for _ in range(5):
            wire.get("/ready")  # pipelined: all are asked before the first is read
        received = b""
        while received.count(b"{}") < 5:
            received += wire.receive(b"{}")
    ids += [each.decode() for each in re.findall(rb"x-request-id: (\S+)", received)]
    assert len(set(ids)) == 10
    for each in ids:
        assert site.line(request_id=each)["path"] == "/ready"


def test_head_is_answered_like_get_and_without_a_body(site: Site) -> None:
    """FastAPI gives GET routes no HEAD: 405 with what there is, and a line."""
    with site.connect() as wire:
        answer = wire.send("HEAD /inside HTTP/1.1", "Host: localhost").answer("HEAD")
    assert (answer.status, answer.body) == (405, b"")
    assert answer.one("allow") == "GET"
    assert site.line_of(answer)["method"] == "HEAD"
