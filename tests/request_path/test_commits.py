"""Acknowledged means committed, over HTTP, however a request ends; on each database and driver."""

from __future__ import annotations

import itertools
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from fastforge.test.proxy import Proxy
from tests.commanding import start
from tests.conftest import with_driver
from tests.processes import free_port, wait_until

from .ledger import EXISTING, LEDGER, SLOW_COMMITS, TABLES
from .site import PRODUCTION, Site, is_ready, serving, write

DRIVERS = ("sqlite", "asyncpg", "psycopg")
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Ledger:
    """A served ledger, and its database as somebody else sees it."""

    site: Site
    url: str
    look: Callable[[], set[str]]

    def post(self, path: str) -> int:
        return self.site.post(path).status


@contextmanager
def database(
    path: Path, driver: str, server: str, admin: psycopg.Connection
) -> Iterator[tuple[str, Callable[[], set[str]]]]:
    """Give the URL of a database with the tables, and what tells its rows by another connection."""
    if driver == "sqlite":
        file = path / "db.sqlite3"
        with sqlite3.connect(file, check_same_thread=False) as other:
            other.executescript(dedent(TABLES).format(key="id INTEGER PRIMARY KEY"))
        rows = "SELECT name FROM ledger_line"
        yield f"sqlite+aiosqlite:///{file}", lambda: {name for (name,) in other.execute(rows)}
        other.close()
        return
    name = f"ledger_{os.getpid()}_{next(_numbers)}"
    admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    dsn = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute(dedent(TABLES).format(key="id SERIAL PRIMARY KEY"))
        other.execute(dedent(SLOW_COMMITS))
        yield (
            with_driver(dsn, driver),
            lambda: {name for (name,) in other.execute("SELECT name FROM ledger_line")},
        )
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module", params=DRIVERS)
def ledger(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: str,
    postgres_admin: psycopg.Connection,
) -> Iterator[Ledger]:
    """The ledger, once on each database and driver."""
    path = tmp_path_factory.mktemp("ledger")
    with (
        database(path, request.param, postgres_server, postgres_admin) as (url, look),
        serving(path, LEDGER, environ={"DATABASE_URL": url}) as site,
    ):
        yield Ledger(site, url, look)


# --- the answer and the rows ---


def acknowledge(ledger: Ledger, count: int, prefix: str) -> int:
    """Send requests, and count those whose row is there at the instant of their answer."""

    def place(number: int) -> bool:
        name = f"slow-{prefix}-{number}"
        assert ledger.post(f"/kept/{name}") == 201
        return name in ledger.look()

    # SQLite has one writer at a time, and one that waits for the others waits for the pool too.
    with ThreadPoolExecutor(1 if "sqlite" in ledger.url else 8) as pool:
        return sum(pool.map(place, range(count)))


def test_every_answer_finds_its_row_committed(ledger: Ledger) -> None:
    """Each COMMIT takes 50 ms; SQLite has one after the other, and so fewer of them here."""
    count = 20 if "sqlite" in ledger.url else 200
    assert acknowledge(ledger, count, "acknowledged") == count


@pytest.mark.long
def test_every_answer_of_200_finds_its_row_committed(ledger: Ledger) -> None:
    assert acknowledge(ledger, 200, "long") == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("returned", 400),
        ("returned", 500),
        ("set", 409),
        ("raised", 409),
        ("raised", 503),
        ("broken", 500),
        ("invalid", 500),
        ("deferred", 409),
        ("serviced", 404),
    ],
)
def test_an_answer_that_refuses_leaves_no_row(ledger: Ledger, path: str, status: int) -> None:
    name = f"{path}-{status}"
    assert ledger.post(f"/{path}/{name}?status={status}") == status
    assert not {name, "by the service"} & ledger.look()


@pytest.mark.parametrize(("path", "status"), [("returned", 202), ("set", 302), ("raised", 204)])
def test_an_answer_that_does_not_refuse_is_committed_unless_it_was_raised(
    ledger: Ledger, path: str, status: int
) -> None:
    """FastAPI makes an answer of what is raised: it is the status that decides."""
    name = f"{path}-{status}"
    assert ledger.post(f"/{path}/{name}?status={status}") == status
    assert name in ledger.look()


def test_a_dependency_of_the_users_may_hold_the_session_past_the_answer(ledger: Ledger) -> None:
    assert ledger.post("/serviced/serviced?status=200") == 200
    assert {"serviced", "by the service"} <= ledger.look()
    ledger.site.wait_for("the service finds the session closed")


def test_a_stream_finds_the_session_closed_and_its_row_committed(ledger: Ledger) -> None:
    assert ledger.site.post("/streamed/streamed").body == b"db.E004 streamed"
    wait_until(lambda: ledger.site.get("/out").json == 0)


def test_a_background_task_holds_nothing_of_the_request(ledger: Ledger) -> None:
    """No lock, no connection, no session: the row is there for everybody while it waits."""
    assert ledger.post("/later/background") == 200
    ledger.site.wait_for("closed for background")
    assert "background" in ledger.look()
    assert ledger.site.get("/out").json == 0
    ledger.site.open_gate("background")
    wait_until(lambda: "after background" in ledger.look())


# --- in between ---


def test_a_commit_in_the_middle_is_one(ledger: Ledger) -> None:
    with ledger.site.connect() as wire:
        wire.post("/commits/middle")
        wait_until(lambda: "middle" in ledger.look())
        ledger.site.open_gate("middle")
        assert wire.answer().status == 400
    assert "half of middle" not in ledger.look()
    assert "middle" in ledger.look()


def test_a_handler_that_is_not_atomic_holds_nothing_while_it_waits(ledger: Ledger) -> None:
    with ledger.site.connect() as wire:
        wire.post("/outside/elsewhere")
        ledger.site.wait_for("waits elsewhere")
        assert ledger.site.get("/out").json == 0
        assert "elsewhere" in ledger.look()
        ledger.site.open_gate("elsewhere")
        assert wire.answer().status == 502
    assert "elsewhere" in ledger.look()


def test_a_handler_that_collides_is_run_again_and_leaves_one_row(ledger: Ledger) -> None:
    answer = ledger.site.post("/again/collides")
    assert (answer.status, answer.json) == (200, 3)
    assert {name for name in ledger.look() if name.startswith("collides")} == {"collides 3"}


# --- the pool and the wire ---


@pytest.fixture(scope="module", params=DRIVERS)
def narrow(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: str,
    postgres_admin: psycopg.Connection,
) -> Iterator[tuple[Site, Proxy]]:
    """The ledger with a pool of two, on PostgreSQL behind a proxy that counts."""
    path = tmp_path_factory.mktemp("narrow")
    with (
        database(path, request.param, postgres_server, postgres_admin) as (url, _),
        Proxy(postgres_server if request.param == "sqlite" else url) as proxy,
    ):
        used = url if request.param == "sqlite" else proxy.url
        environ = {"DATABASE_URL": used, "POOL_SIZE": "2"}
        with serving(path, LEDGER, environ=environ) as site:
            yield site, proxy


@pytest.mark.parametrize("narrow", ["asyncpg", "psycopg"], indirect=True)
def test_a_request_costs_no_more_round_trips_than_its_statements(
    narrow: tuple[Site, Proxy],
) -> None:
    """A GET costs n for n reads, a POST n + 2, a session that is not used nothing."""
    site, proxy = narrow

    def cost(method: str, path: str) -> int:
        before = proxy.round_trips
        assert (site.get if method == "GET" else site.post)(path).status in (200, 400)
        return proxy.round_trips - before

    for _ in range(8):  # until every statement is prepared
        cost("GET", "/reads/2")
        cost("POST", "/writes/2")
    connections = proxy.connections
    for count in (0, 1, 2, 5):
        assert cost("GET", f"/reads/{count}") == count
        assert cost("POST", f"/writes/{count}") == (count + 2 if count else 0)
    assert cost("GET", "/unused") == 0
    assert cost("GET", "/ready") == 0
    assert proxy.connections == connections


def test_forty_requests_that_wait_elsewhere_share_two_connections(
    narrow: tuple[Site, Proxy],
) -> None:
    """All of them are between their reads at the same time; whoever held one would fail."""
    site, _ = narrow
    with ThreadPoolExecutor(40) as pool:
        answers = pool.map(lambda number: site.get(f"/apart/{number}"), range(40))
        assert [answer.status for answer in answers] == [200] * 40
    assert site.get("/out").json == 0


# --- the end of the process, and an application that was there before ---


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_commit_that_runs_when_the_process_ends_is_carried_to_its_end(
    tmp_path: Path, postgres_server: str, postgres_admin: psycopg.Connection, driver: str
) -> None:
    """The server cancels the request's task in the middle of COMMIT."""
    with database(tmp_path, driver, postgres_server, postgres_admin) as (url, look):
        environ = {"DATABASE_URL": url, "GRACEFUL_S": "0.1"}
        with serving(tmp_path, LEDGER, environ=environ) as site, site.connect() as wire:
            wire.post("/kept/long")
            wait_until(lambda: commits_now(postgres_admin), describe=site.process)
            site.process.terminate()
            assert site.process.wait() == 0
        assert look() == {"long"}


def commits_now(admin: psycopg.Connection) -> bool:
    """Whether a COMMIT is under way."""
    row = admin.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query ILIKE 'COMMIT%'"
    ).fetchone()
    return row is not None and row[0] > 0


def test_an_application_that_was_there_before_commits_before_it_answers(
    tmp_path: Path, postgres_server: str, postgres_admin: psycopg.Connection
) -> None:
    write(tmp_path, EXISTING)
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", "existing:app", "--port", str(port)]
    with (
        database(tmp_path, "sqlite", postgres_server, postgres_admin) as (url, look),
        start(argv, cwd=tmp_path, env=PRODUCTION | {"DATABASE_URL": url}) as process,
    ):
        wait_until(lambda: is_ready(process, port), describe=process)
        site = Site(tmp_path, port, process)
        kept = site.post("/old/kept/by%20a%20service")
        assert (kept.status, kept.one("stamp")) == (200, "old")
        assert site.post("/old/nested/nested").status == 200
        assert site.post("/inner/kept/mounted").status == 200
        conflict = site.post("/old/deferred/lost")
        assert (conflict.status, conflict.json) == (418, {"told by": "the application"})
        assert site.post("/old/returned/lost").status == 409
        assert look() == {"by a service", "nested", "mounted"}
        assert "Traceback" not in process.output
