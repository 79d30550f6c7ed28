"""Server: the server of PostgreSQL that the settings name, and the tests' databases on it."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from ....conf import Settings
from ..errors import DatabaseError, describe
from ..resources import open_of
from ..settings import Database
from .homes import moved

__all__ = ["Server", "at", "connected", "server_of"]

MAINTENANCE: Final = "postgres"
"""The database that every server has, from which others are made and dropped."""
NOT_PERMITTED: Final = "42501"
LONGEST_NAME: Final = 30
"""In bytes, of a database's own name in that of its copies: PostgreSQL cuts off what is over 63."""

_KEY: Final = "hashtextextended(:name, 0)"


def at(database: Database, name: str) -> Database:
    """Return the section of another database on the same server, past any pooler."""
    url = make_url(database.direct_url or database.url).set(database=name)
    return moved(database, url.render_as_string(hide_password=False))


@asynccontextmanager
async def connected(
    settings: Settings, database: Database, *, lock_timeout_s: float = 0
) -> AsyncIterator[AsyncConnection]:
    """Give a connection to a database whose statements stand for themselves."""
    limits = {
        "statement_timeout_s": 0,
        "lock_timeout_s": lock_timeout_s,
        "read_only": False,
        "required": True,
        "pool_size": 1,
        "max_overflow": 0,
        "slow_query_ms": 0,
        "pool_recycle_s": 0,
    }
    opened = await open_of(settings, database.model_copy(update=limits))
    try:
        async with opened.engine.connect() as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")
    finally:
        await opened.engine.dispose()


@asynccontextmanager
async def server_of(settings: Settings, database: Database) -> AsyncIterator[Server]:
    """Connect to the server of a database for a whole session of tests."""
    own = str(make_url(database.direct_url or database.url).database)
    async with connected(settings, at(database, MAINTENANCE)) as connection:
        yield Server(connection, own=own)


class Server:
    """What is done on a server for the tests of one database.

    Args:
        connection: To the maintenance database; it is held for the whole session.
        own: The name of the database in the settings.
    """

    def __init__(self, connection: AsyncConnection, *, own: str) -> None:
        self._connection = connection
        self._own = own.encode()[:LONGEST_NAME].decode(errors="ignore")

    # --- names that belong to one session at a time ---

    async def claim(self, worker: str) -> str:
        """Return a name that no other running session uses; it is free again when this one ends."""
        for number in itertools.count(1):
            name = f"{self._own}_test_{worker}" + (f"_{number}" * (number > 1))
            if await self._ask(f"SELECT pg_try_advisory_lock({_KEY})", name=name):
                return name
        raise AssertionError

    # --- the template ---

    async def template(
        self, digest: str, build: Callable[[str], Awaitable[None]], *, anew: str
    ) -> str:
        """Return the template of these migrations, built unless it is there; drop older ones.

        Several sessions may ask at once: one builds, the others wait for it.

        Args:
            digest: What the migration files are.
            build: Migrates an empty database, given its name.
            anew: The session that wants it built anew, once for all of its workers; empty for none.
        """
        name = f"{self._own}_test_template_{digest}"
        # In use from here on, to the end of the session: nobody takes it for an old one.
        await self._ask(f"SELECT pg_advisory_lock_shared({_KEY})", name=_in_use(name))
        await self._ask(f"SELECT pg_advisory_lock({_KEY})", name=name)
        try:
            built_by = await self._ask(
                "SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database"
                " WHERE datname = :name",
                name=name,
            )
            if built_by is None or (anew and built_by != anew):
                await self._build(name, build, by=anew)
            await self._drop_stale(name)
        finally:
            await self._ask(f"SELECT pg_advisory_unlock({_KEY})", name=name)
        return name

    async def _build(self, name: str, build: Callable[[str], Awaitable[None]], *, by: str) -> None:
        # One that was killed half-way has not got the name yet.
        half = f"{name}_new"
        await self.drop(half)
        await self.run(f"CREATE DATABASE {self._quoted(half)}")
        await build(half)
        await self.drop(name)
        await self.run(f"ALTER DATABASE {self._quoted(half)} RENAME TO {self._quoted(name)}")
        if by:
            await self.run(f"COMMENT ON DATABASE {self._quoted(name)} IS '{by}'")

    async def _drop_stale(self, name: str) -> None:
        beginning = f"{self._own}_test_template_"
        found = await self._connection.scalars(
            text("SELECT datname FROM pg_database WHERE starts_with(datname, :beginning)"),
            {"beginning": beginning},
        )
        for other in found.all():
            template = other.removesuffix("_new")
            if template == name:
                continue
            if await self._ask(f"SELECT pg_try_advisory_lock({_KEY})", name=_in_use(template)):
                await self.drop(other)
                await self._ask(f"SELECT pg_advisory_unlock({_KEY})", name=_in_use(template))

    # --- databases ---

    async def copy(self, name: str, template: str) -> None:
        """Make a database as its template is, in the place of what is there."""
        await self.drop(name)
        await self.run(f"CREATE DATABASE {self._quoted(name)} TEMPLATE {self._quoted(template)}")

    async def drop(self, name: str) -> None:
        """Drop a database, also one that somebody is connected to or that is not there."""
        await self.run(f"DROP DATABASE IF EXISTS {self._quoted(name)} WITH (FORCE)")

    async def position(self) -> int:
        """Return the number of the server's next transaction that writes."""
        return int(await self._ask("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))

    async def run(self, statement: str) -> None:
        """Run one statement.

        Raises:
            DatabaseError: The user may not.
        """
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

    async def _ask(self, statement: str, **values: str) -> Any:
        return await self._connection.scalar(text(statement), values)

    def _quoted(self, name: str) -> str:
        return self._connection.dialect.identifier_preparer.quote_identifier(name)


def _in_use(name: str) -> str:
    return f"{name} in use"
