"""A PgBouncer in transaction mode before the tests' PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests import services
from tests.conftest import with_driver


@pytest.fixture(scope="session")
def pgbouncer_server(postgres_server: str) -> Iterator[str]:
    """The address of the pooler."""
    server = services.start("pgbouncer", postgres_server)
    yield server.url
    server.close()


@pytest.fixture
def pooled_url(each_postgres_url: str, pgbouncer_server: str) -> str:
    """A fresh database, reached through the pooler; the test runs once for each driver."""
    driver = urlsplit(each_postgres_url).scheme.partition("+")[2]
    name = urlsplit(each_postgres_url).path
    return with_driver(urlunsplit(urlsplit(pgbouncer_server)._replace(path=name)), driver)
