"""A secret that a client, a database or the settings bring into a process is written nowhere."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.commanding import python, start
from tests.contrib.telemetry.collector import Collector, collecting
from tests.folder import isolated
from tests.processes import Process, fetch, free_port, wait_until

from . import project
from .canaries import SONGS, escaped, jwt, value
from .driving import PLACES, drive

COMMANDS = (
    ("settings",),
    ("settings", "--json"),
    ("info",),
    ("check",),
    ("inspect", "resources"),
    ("inspect", "middleware"),
    ("jobs", "list"),
    ("jobs", "list", "--json"),
    ("jobs", "show", "{job}"),
    ("jobs", "show", "{job}", "--json"),
)
FAR = ["-m", "fastforge"]


@dataclass
class Site:
    """The project in its folder, and what it has written so far."""

    path: Path
    environ: dict[str, str]
    sinks: dict[str, str] = field(default_factory=dict)

    def manage(self, *arguments: str) -> str:
        done = python([*FAR, *arguments], cwd=self.path, env=self.environ, together=True)
        self.sinks[f"manage {' '.join(arguments)}"] = done.stdout
        return done.stdout

    def start(self, *arguments: str) -> Process:
        return start([sys.executable, *FAR, *arguments], cwd=self.path, env=self.environ)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def dsn(postgres_dsn: str) -> Iterator[str]:
    """The database for a role whose password is a canary, with what a URL has to escape."""
    parts = urlsplit(postgres_dsn)
    role, secret = f"singer_{parts.path[1:]}", f"{value('dsn')}/@"
    named = {"role": sql.Identifier(role), "secret": sql.Literal(secret)}

    def execute(statement: LiteralString) -> None:
        connection.execute(sql.SQL(statement).format(**named))

    with psycopg.connect(postgres_dsn, autocommit=True) as connection:
        execute("CREATE ROLE {role} LOGIN PASSWORD {secret}")
        execute("GRANT ALL ON SCHEMA public TO {role}")
        execute("CREATE TABLE accounts (token text UNIQUE)")
        execute("ALTER TABLE accounts OWNER TO {role}")
        netloc = f"{role}:{quote(secret, safe='')}@{parts.hostname}:{parts.port}"
        yield urlunsplit(parts._replace(scheme="postgresql+asyncpg", netloc=netloc))
        execute("DROP OWNED BY {role}")
        execute("DROP ROLE {role}")


# In development the same lines are set for a person.
@pytest.fixture(params=["production", pytest.param("development", marks=pytest.mark.long)])
def site(
    request: pytest.FixtureRequest, tmp_path: Path, dsn: str, collector: Collector
) -> Iterator[Site]:
    with isolated(tmp_path) as folder:
        environ = project.write(folder, dsn, collector.url, request.param)
        yield Site(tmp_path, environ)


def test_no_secret_of_any_place_is_in_any_sink(site: Site, collector: Collector) -> None:
    site.manage("migrate")
    port, health = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    is_production = site.environ["FASTFORGE_ENV"] == "production"
    options = ["--workers", "1"] if is_production else ["--no-reload", "--no-worker"]
    with (
        site.start("runserver", f"127.0.0.1:{port}", *options) as server,
        site.start("runworker", "--health-port", str(health)) as worker,
    ):
        wait_until(lambda: not server.alive or fetch(f"{url}/livez"), describe=server)
        site.sinks |= drive(url)
        job = re.search(r'"([\w-]+)"$', site.sinks["7 /job to a program"])
        assert job is not None, site.sinks["7 /job to a program"]
        wait_until(lambda: "cannot send" in worker.output, describe=worker)
        for path in ("/readyz?verbose", "/startupz?verbose", "/metrics"):
            site.sinks[path] = str(fetch(url + path))
            site.sinks[f"{path} of the worker"] = str(fetch(f"http://127.0.0.1:{health}{path}"))
        for command in COMMANDS:
            site.manage(*(each.format(job=job[1]) for each in command))
        for process in (server, worker):
            process.terminate()
            process.wait()
        site.sinks |= {"the server": server.output, "the worker": worker.output}
    site.sinks["spans"] = repr(collector.spans)
    site.sinks["exports"] = repr([*collector.bodies, *collector.metric_bodies])
    found = escaped(site.sinks)
    assert not found, "\n".join(found)
    _was_told(site.sinks)


def _was_told(sinks: dict[str, str]) -> None:
    """Nothing would be proved by processes that have said nothing."""
    for text in ("headers {", "asked for", "a login", "cookies", "nobody answers", "in a thread"):
        assert text in sinks["the server"], text
    for text in ("a frame", "it failed", "a form", "accounts_token_key"):
        assert text in sinks["the server"], text
    assert sinks["the server"].count("***") > 40
    assert "cannot send" in sinks["the worker"] and "cannot send" in str(sinks)
    assert "GET /header" in sinks["spans"] and "***" in sinks["spans"]
    assert '"status":"pass"' in sinks["/readyz?verbose"]
    assert "shop.orders.tasks.send" in sinks["manage jobs list"]


def test_a_canary_is_heard_wherever_it_gets_out() -> None:
    for place in PLACES:
        for text in (value(place), jwt(place), json.dumps({"a": jwt(place)})):
            assert escaped({"sink": f"before {text} after"}), place
    assert len(SONGS) == 3
    assert escaped({"sink": "***"}) == []
