"""What a client reads is what is committed, whatever runs after the answer.

The same decisions without a server, row by row: tests/contrib/db/test_middleware.py.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import wait_until

from .conftest import on_sqlite
from .shop import SHOP
from .site import Site


def test_what_is_answered_can_be_read_at_once(each_site: Site) -> None:
    for number in range(20):
        name = f"fresh {number:02}"
        assert each_site.post(f"/api/notes/{name}".replace(" ", "%20")).status == 201
        assert name in each_site.names


def test_a_commit_that_fails_is_a_conflict_and_not_a_success(each_site: Site) -> None:
    answer = each_site.post("/api/marks/999")
    assert (answer.status, answer.json["code"]) == (409, "db.E021")
    assert answer.one("content-type") == "application/problem+json"
    assert answer.json["request_id"] == answer.request_id
    assert "marked 999" not in each_site.names
    line = each_site.line_of(answer)
    assert (line["status_code"], line["route"]) == (409, "/api/marks/{note_id}")


def test_a_background_task_that_fails_undoes_nothing(each_site: Site) -> None:
    answer = each_site.post("/api/then-fails/kept")
    assert answer.status == 200
    each_site.wait_for("after kept")
    assert "kept" in each_site.names
    assert each_site.line_of(answer)["status_code"] == 200


def test_dependencies_of_every_scope_share_one_session(each_site: Site) -> None:
    answer = each_site.post("/api/scopes/shared")
    assert (answer.status, answer.json) == (200, {"same": True})
    assert "shared" in each_site.names


@pytest.mark.parametrize("path", ["/api/streamed/x", "/api/events"])
def test_a_generator_finds_the_session_closed_and_opens_its_own(each_site: Site, path: str) -> None:
    each_site.post("/api/notes/at-least-one")
    answer = each_site.get(path) if "events" in path else each_site.post(path)
    assert answer.status == 200
    assert b"closed" in answer.body
    assert b"True" in answer.body
    wait_until(lambda: each_site.connections_out == 0)


def test_the_rows_are_in_the_file_when_the_answer_is_there(site: Site) -> None:
    """Read by another process, with no server of ours in between."""
    site.post("/api/notes/durable")
    with sqlite3.connect(site.path / "db.sqlite3") as other:
        rows = other.execute("SELECT name FROM notes_note WHERE name = 'durable'").fetchall()
    other.close()
    assert rows == [("durable",)]


def test_a_request_that_is_cut_by_the_end_of_the_process_is_rolled_back(tmp_path: Path) -> None:
    """Its task is cancelled; its client is told to come back, and its line says so."""
    settings = f"{SHOP['shop/settings.py']}\n    SERVER = {{'graceful_s': 0.1, 'drain_s': 0}}\n"
    with contextmanager(on_sqlite)(tmp_path, {**SHOP, "shop/settings.py": settings}) as site:
        with site.connect() as wire:
            wire.post("/api/slow/cut")
            site.wait_for("begun cut")
            site.process.terminate()
            assert wire.answer().status == 503
        assert site.process.wait() == 0
        assert "ended cut" not in site.process.output
        assert site.line(path="/api/slow/cut")["status_code"] == 503
        assert "Traceback" not in site.process.output
    with sqlite3.connect(tmp_path / "db.sqlite3") as rows:
        assert rows.execute("SELECT count(*) FROM notes_note").fetchall() == [(0,)]
    rows.close()
