"""The resources `database` and `databases`: the pools of one process, where sessions come from."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ..._utils import did_you_mean
from ...conf import Settings
from ...exceptions import ForgeError, SettingsError
from ...lifecycle import current_container, provide, resource
from .engine import Engines, make_engines
from .errors import DatabaseError
from .sessions import Session
from .settings import Database
from .unavailable import unavailable

__all__ = [
    "DEFAULT",
    "DatabaseConnection",
    "connection_of",
    "database",
    "databases",
    "default_database",
    "open_database",
    "open_of",
]

logger = logging.getLogger("fastforge.contrib.db")

DEFAULT: Final = "default"
"""The database that nobody has to name."""
_CLIENT_CHECK: Final = "client_connection_check_interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConnection:
    """The running database: its pool, and where sessions come from.

    Attributes:
        engines: The views of the pool.
        config: The section that it was opened with.
        name: Its name in DATABASES.
        session_class: What its sessions are; tests have one of their own.
    """

    engines: Engines
    config: Database
    name: str = DEFAULT
    session_class: type[Session] = Session

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for code that wants a connection of its own."""
        return self.engines.engine

    def session(self) -> Session:
        """Return a new session; whoever makes one closes it."""
        return self.session_class(self.engines)

    async def ping(self) -> None:
        """Run one statement; raises what the driver raises."""
        session = self.session()
        try:
            await session.scalar(text("SELECT 1"))
        finally:
            await session.close()


async def _ping(connection: DatabaseConnection) -> None:
    await connection.ping()


async def _ping_others(connections: Mapping[str, DatabaseConnection]) -> None:
    for name, connection in connections.items():
        if name != DEFAULT:
            await connection.ping()


@resource(ping=_ping)
async def database() -> AsyncIterator[DatabaseConnection]:
    """Open the pool of DATABASES["default"]; one statement proves that the server answers."""
    settings = current_container().settings
    async with _opened(settings, DEFAULT, default_database(settings)) as connection:
        yield connection


@resource(ping=_ping_others)
async def databases(
    default: Annotated[DatabaseConnection, provide(database)],
) -> AsyncIterator[Mapping[str, DatabaseConnection]]:
    """Open the pools of all of DATABASES, each its own, found by their names."""
    settings = current_container().settings
    configs: dict[str, Database] = settings["DATABASES"]
    async with AsyncExitStack() as stack:
        others = {
            name: await stack.enter_async_context(_opened(settings, name, config))
            for name, config in configs.items()
            if name != DEFAULT
        }
        yield MappingProxyType({DEFAULT: default, **others})


def connection_of(name: str = DEFAULT) -> DatabaseConnection:
    """Return a running database of the current container by its name in DATABASES.

    ```python
    async with connection_of("archive").session() as db: ...
    ```

    Raises:
        DatabaseError: DATABASES has no such name.
        ContainerMissing: No project runs here.
    """
    container = current_container()
    if name == DEFAULT:
        return container[database]
    connections = container[databases]
    if name in connections:
        return connections[name]
    raise DatabaseError(
        f"DATABASES has no {name!r}",
        code="db.E040",
        hint=did_you_mean(name, connections) or f"it has {', '.join(map(repr, connections))}",
        where=container.settings.where("DATABASES"),
    )


@asynccontextmanager
async def _opened(
    settings: Settings, name: str, config: Database
) -> AsyncIterator[DatabaseConnection]:
    connection = replace(await open_of(settings, config), name=name)
    try:
        yield connection
    finally:
        await connection.engine.dispose()


def default_database(settings: Settings) -> Database:
    """Return DATABASES["default"].

    Raises:
        SettingsError: DATABASES does not have it.
    """
    databases: dict[str, Database] = settings["DATABASES"]
    if "default" in databases:
        return databases["default"]
    raise SettingsError(
        'DATABASES has no "default"',
        code="db.E019",
        hint='write DATABASES = {"default": Database(url=...)}',
        where=settings.where("DATABASES"),
    )


async def open_of(settings: Settings, config: Database) -> DatabaseConnection:
    """Open a database of a project; an error names the line of the settings that gives its URL.

    Args:
        settings: The project's settings.
        config: One of DATABASES, or a variation of it.

    Raises:
        ForgeError: As `open_database`.
    """
    try:
        return await open_database(config, root=settings.root, environment=settings.environment)
    except ForgeError as error:
        error.where = error.where or settings.where("DATABASES")
        raise


async def open_database(config: Database, *, root: Path, environment: str) -> DatabaseConnection:
    """Make the engines and run one statement.

    Raises:
        ResourceUnavailable: The database cannot be reached.
        MissingExtraError: The driver is not installed.
    """
    engines = make_engines(config, root=root, environment=environment)
    connection = DatabaseConnection(engines=engines, config=config)
    try:
        if config.is_sqlite:
            await asyncio.to_thread(_open_file, str(engines.engine.url.database))
        await connection.ping()
    except (exc.SQLAlchemyError, sqlite3.Error, OSError, TimeoutError) as error:
        await engines.engine.dispose()
        if config.client_check_interval_s and _CLIENT_CHECK in str(error):
            logger.warning("the server refuses %s; going on without it", _CLIENT_CHECK)
            without = config.model_copy(update={"client_check_interval_s": 0})
            return await open_database(without, root=root, environment=environment)
        raise unavailable(config, error) from error
    except BaseException:
        await engines.engine.dispose()
        raise
    return connection


def _open_file(path: str) -> None:
    """Open a SQLite file once without the asynchronous driver.

    When that fails to open one it leaves a thread behind, which may complain on stderr about the
    end of the event loop.
    """
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA schema_version")
