"""Every test of this folder runs on each backend."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.conftest import with_driver

from .world import World
from .worlds import WORLDS

if TYPE_CHECKING:
    import psycopg

_numbers = itertools.count()


@pytest.fixture(params=list(WORLDS))
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """A backend without jobs."""
    async with WORLDS[request.param](request) as world:
        yield world


@pytest.fixture(scope="session")
def contract_urls(
    postgres_server: str, postgres_admin: psycopg.Connection
) -> Iterator[dict[str, str]]:
    """One database for all tests of the folder, by driver: hundreds are too many to be made."""
    from psycopg import sql

    name = f"fastforge_contract_{os.getpid()}_{next(_numbers)}"
    identifier = sql.Identifier(name)
    postgres_admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(identifier))
    dsn = urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
    yield {driver: with_driver(dsn, driver) for driver in ("asyncpg", "psycopg")}
    postgres_admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
