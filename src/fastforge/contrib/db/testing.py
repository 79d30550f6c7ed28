"""A database for tests: made and migrated once a session, and for each test as it was then."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from anyio.from_thread import BlockingPortal, start_blocking_portal
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ...project import Project
from ...test.setups import ForEachTest, setup_for_tests
from .errors import DatabaseError, describe
from .migrations.project import migration_engines, project_history
from .migrations.runner import migrate
from .resources import default_database, open_of
from .settings import Database

__all__ = ["database_of_its_own"]

MAINTENANCE: Final = "postgres"
"""The database that every server has, from which others are made and dropped."""
NOT_PERMITTED: Final = "42501"
LONGEST_NAME: Final = 30
"""Of a database's own name, in that of its copies: PostgreSQL cuts names off after 63 bytes."""


@setup_for_tests
def database_of_its_own(project: Project, worker: str) -> Iterator[ForEachTest]:
    """Give each test a database that the project's migrations have made.

    The database of the settings is never opened. SQLite tests use copies of a file in a temporary
    folder; PostgreSQL tests a database of the session's own on the same server, made anew from a
    template where the test before has written.
    """
    config = default_database(project.settings)
    with start_blocking_portal() as portal:
        make = _files if config.is_sqlite else _databases
        with make(project, config, worker, portal) as for_each_test:
            yield for_each_test


def _using(project: Project, config: Database, url: str) -> Project:
    other = config.model_copy(update={"url": url})
    return project.overriding(settings={"DATABASES": {"default": other}})


async def _migrate(project: Project) -> None:
    async with migration_engines(project) as engines:
        await migrate(engines, project_history(project))


# --- SQLite --------------------------------------------------------------------------------------


@contextmanager
def _files(
    project: Project, config: Database, _worker: str, portal: BlockingPortal
) -> Iterator[ForEachTest]:
    with tempfile.TemporaryDirectory(prefix="fastforge-tests-") as folder:
        template = Path(folder, "template.sqlite3")
        portal.call(_migrate, _using(project, config, _url_of_file(template)))
        _into_one_file(template)

        @contextmanager
        def for_each_test(project: Project) -> Iterator[Project]:
            with tempfile.TemporaryDirectory(dir=folder) as own:
                file = Path(shutil.copyfile(template, Path(own, "test.sqlite3")))
                yield _using(project, config, _url_of_file(file))

        yield for_each_test


def _url_of_file(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _into_one_file(file: Path) -> None:
    """Write what SQLite keeps beside a database into it."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


# --- PostgreSQL ----------------------------------------------------------------------------------


@contextmanager
def _databases(
    project: Project, config: Database, worker: str, portal: BlockingPortal
) -> Iterator[ForEachTest]:
    with portal.wrap_async_context_manager(_server(project, config)) as server:
        name = portal.call(server.claim, worker)
        template = f"{name}_template"
        with _dropping(portal, server, name, template):
            portal.call(server.create, template)
            portal.call(_migrate, _using(project, config, _url_of_database(config, template)))

            @contextmanager
            def for_each_test(project: Project) -> Iterator[Project]:
                portal.call(server.renew, name, template)
                yield _using(project, config, _url_of_database(config, name))

            yield for_each_test


@contextmanager
def _dropping(portal: BlockingPortal, server: _Server, *names: str) -> Iterator[None]:
    """Drop databases before, where a session was killed, and at the end."""
    for name in names:
        portal.call(server.drop, name)
    try:
        yield
    finally:
        for name in names:
            portal.call(server.drop, name)


def _url_of_database(config: Database, name: str) -> str:
    return make_url(config.url).set(database=name).render_as_string(hide_password=False)


@asynccontextmanager
async def _server(project: Project, config: Database) -> AsyncIterator[_Server]:
    settings = project.settings
    maintenance = config.model_copy(
        update={
            "url": _url_of_database(config, MAINTENANCE),
            "statement_timeout_s": 0,
            "lock_timeout_s": 0,
        }
    )
    opened = await open_of(settings, maintenance)
    try:
        async with opened.engine.connect() as connection:
            each_alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield _Server(each_alone, own=str(make_url(config.url).database))
    finally:
        await opened.engine.dispose()


class _Server:
    """The server that the settings name, and the databases that the tests have on it.

    Args:
        connection: To the maintenance database; it is held for the whole session.
        own: The name of the database in the settings.
    """

    def __init__(self, connection: AsyncConnection, *, own: str) -> None:
        self._connection = connection
        self._own = own
        self._seen: int | None = None

    async def claim(self, worker: str) -> str:
        """Return a name that no other running session uses; it is free again when this one ends."""
        for number in itertools.count(1):
            name = f"{self._own[:LONGEST_NAME]}_test_{worker}" + (f"_{number}" * (number > 1))
            lock = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
            if await self._connection.scalar(lock, {"name": name}):
                return name
        raise AssertionError

    async def create(self, name: str) -> None:
        """Make an empty database."""
        await self._run(f"CREATE DATABASE {self._quoted(name)}")

    async def drop(self, name: str) -> None:
        """Drop a database, also one that somebody is connected to or that is not there."""
        await self._run(f"DROP DATABASE IF EXISTS {self._quoted(name)} WITH (FORCE)")

    async def renew(self, name: str, template: str) -> None:
        """Make a database as its template is, unless nothing was written since the last time."""
        if await self._position() == self._seen:
            return
        await self.drop(name)
        await self._run(f"CREATE DATABASE {self._quoted(name)} TEMPLATE {self._quoted(template)}")
        self._seen = await self._position()

    async def _position(self) -> int:
        """Return the number of the server's next transaction that writes."""
        position = await self._connection.scalar(
            text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        )
        return int(position)

    async def _run(self, statement: str) -> None:
        try:
            await self._connection.exec_driver_sql(statement)
        except DBAPIError as error:
            if describe(error).sqlstate != NOT_PERMITTED:
                raise
            raise DatabaseError(
                "the database user of the settings may not make databases for tests",
                code="db.E027",
                hint="ALTER ROLE the_user CREATEDB, or set DATABASE_URL to another server",
            ) from error

    def _quoted(self, name: str) -> str:
        return self._connection.dialect.identifier_preparer.quote_identifier(name)
