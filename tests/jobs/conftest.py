"""The project on each backend, with servers of its own where a test stops them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import with_driver
from tests.folder import isolated

from .office import Office
from .servers import Durable, durable


@dataclass(frozen=True)
class Place:
    """A project, and the server that its backend depends on; a file depends on none."""

    office: Office
    server: Durable | None


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The backend that the parameter names: `sqlite`, `postgres` or `redis`."""
    name: str = request.param
    file = f"sqlite+aiosqlite:///{tmp_path}/shop.sqlite3"
    with isolated(tmp_path) as folder, ExitStack() as stack:
        server = None if name == "sqlite" else stack.enter_context(durable(name))
        office = Office(
            folder,
            backend="arq" if name == "redis" else "database",
            database_url=with_driver(server.url, "asyncpg")
            if server and name == "postgres"
            else file,
            redis_url=server.url if server and name == "redis" else "redis://127.0.0.1:1/0",
        )
        yield Place(office, server)
