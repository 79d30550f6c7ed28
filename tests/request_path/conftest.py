"""The shop of these tests, served once for each module, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.conftest import with_driver

from .shop import SHOP, STRICT_SHOP, TABLES
from .site import Site, serving

if TYPE_CHECKING:
    import psycopg

_numbers = itertools.count()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop on SQLite."""
    yield from on_sqlite(tmp_path_factory.mktemp("shop"), SHOP)


@pytest.fixture(scope="module")
def strict_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The shop on SQLite with narrow limits."""
    yield from on_sqlite(tmp_path_factory.mktemp("shop"), STRICT_SHOP)


@pytest.fixture(scope="module")
def postgres_site(
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: str,
    postgres_admin: psycopg.Connection,
) -> Iterator[Site]:
    """The shop on PostgreSQL, through asyncpg."""
    yield from on_postgres(tmp_path_factory.mktemp("shop"), postgres_server, postgres_admin)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def each_site(request: pytest.FixtureRequest) -> Site:
    """The shop, once on each database."""
    served: Site = request.getfixturevalue("site" if request.param == "sqlite" else "postgres_site")
    return served


def on_sqlite(path: Path, files: Mapping[str, str]) -> Iterator[Site]:
    with sqlite3.connect(path / "db.sqlite3") as tables:
        tables.executescript(dedent(TABLES).format(key="id INTEGER PRIMARY KEY"))
    tables.close()
    url = f"sqlite+aiosqlite:///{path}/db.sqlite3"
    with serving(path, files, environ={"DATABASE_URL": url}) as served:
        yield served


def on_postgres(path: Path, server: str, admin: psycopg.Connection) -> Iterator[Site]:
    import psycopg

    name = f"request_path_{os.getpid()}_{next(_numbers)}"
    admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    dsn = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    with psycopg.connect(dsn) as tables:
        tables.execute(dedent(TABLES).format(key="id SERIAL PRIMARY KEY"))
    try:
        with serving(path, SHOP, environ={"DATABASE_URL": with_driver(dsn, "asyncpg")}) as served:
            yield served
    finally:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
