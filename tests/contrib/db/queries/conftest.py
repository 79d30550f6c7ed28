"""A database whose statements are observed, and somebody who runs them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fastforge.contrib.db import Database
from fastforge.contrib.db.resources import DatabaseConnection, open_database
from fastforge.contrib.db.sessions.current import unit_here
from fastforge.contrib.db.sessions.unit import UnitOfWork
from fastforge.observability.context import RunningJob, request_id, running_job
from tests.contrib.db.tables import Base

LOGGER = "fastforge.contrib.db.queries"

Observed = Callable[..., AbstractAsyncContextManager[DatabaseConnection]]


@asynccontextmanager
async def observed(
    url: str, *, environment: str = "production", debug: bool = False, **options: Any
) -> AsyncIterator[DatabaseConnection]:
    """Open a database of the project `shop` that has the tables of these tests."""
    config = Database(url=url, **{"pool_size": 1, "max_overflow": 0, **options})
    connection = await open_database(
        config, root=Path.cwd(), environment=environment, project="shop", debug=debug
    )
    try:
        async with connection.engine.begin() as raw:
            await raw.run_sync(Base.metadata.create_all)
        yield connection
    finally:
        await connection.engine.dispose()


@contextmanager
def entered_unit(unit: UnitOfWork) -> Iterator[UnitOfWork]:
    """Make a unit the current one for a block, which does not end it."""
    token = unit_here.set(unit)
    try:
        yield unit
    finally:
        unit_here.reset(token)


@contextmanager
def request(
    connection: DatabaseConnection,
    path: str = "/api/orders",
    *,
    method: str = "GET",
    id_: str = "7",
) -> Iterator[UnitOfWork]:
    """Be a request of a route."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "route": SimpleNamespace(path=path, path_format=path),
    }
    token = request_id.set(id_)
    try:
        with entered_unit(UnitOfWork(lambda *_: connection.session(), scope)) as unit:
            yield unit
    finally:
        request_id.reset(token)


@contextmanager
def job(connection: DatabaseConnection, task: str = "shop.tasks.send") -> Iterator[UnitOfWork]:
    """Be a job."""
    token = running_job.set(RunningJob(task, "j1"))
    try:
        with entered_unit(UnitOfWork(lambda *_: connection.session())) as unit:
            yield unit
    finally:
        running_job.reset(token)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[Any]]:
    """The records of an event that were written until now."""

    def lines(event: str) -> list[Any]:
        return [each for each in caplog.records if getattr(each, "event", "") == event]

    return lines
