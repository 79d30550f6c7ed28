"""The resources `database` and `databases`: the pools of one process, where sessions come from."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ..._utils import did_you_mean
from ...conf import Settings
from ...exceptions import ContainerMissing, ForgeError, ResourceUnavailable, SettingsError
from ...lifecycle import Role, current_container, provide, resource
from .engine import Application, Engines, make_engines
from .errors import DatabaseError
from .pool.holders import told
from .pool.watched import WatchedPool
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
QUIET_S: Final = 3.0
"""How long the end of a process waits for connections in use, of the 5 seconds it has."""
BETWEEN_LOOKS_S: Final = 0.02


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
    if connection.config.required:  # without another a process is ready all the same
        await connection.ping()


async def _ping_others(connections: Mapping[str, DatabaseConnection]) -> None:
    for name, connection in connections.items():
        if name != DEFAULT:
            await _ping(connection)


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
    if _role() is Role.WORKER:  # where a job has a time limit of its own
        config = config.model_copy(update={"statement_timeout_s": 0})
    connection = await open_of(settings, config, name=name)
    try:
        yield connection
    finally:
        await _quiet(connection.engines.pool)
        await connection.engine.dispose()


async def _quiet(pool: WatchedPool) -> None:
    """Wait until what still runs has given its connections back, for a while."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            while pool.checkedout():  # noqa: ASYNC110 - no pool tells when that is
                await asyncio.sleep(BETWEEN_LOOKS_S)
    if pool.checkedout():
        logger.warning("the pool is closed while it is held by %s", told(pool.holders.values()))


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


async def open_of(
    settings: Settings, config: Database, *, name: str = DEFAULT
) -> DatabaseConnection:
    """Open a database of a project; an error names the line of the settings that gives its URL.

    Args:
        settings: The project's settings.
        config: One of DATABASES, or a variation of it.
        name: Its name there.

    Raises:
        ForgeError: As `open_database`.
    """
    application = Application(
        project=settings.module.partition(".")[0],
        role=_role(),
        environment=settings.environment,
        debug=settings["DEBUG"],
        database=name,
    )
    try:
        return await _open(config, settings.root, application)
    except ForgeError as error:
        error.where = error.where or settings.where("DATABASES")
        raise


def _role() -> Role:
    try:
        return current_container().role
    except ContainerMissing:
        return Role.COMMAND


async def open_database(
    config: Database, *, root: Path, environment: str, project: str = "", debug: bool = False
) -> DatabaseConnection:
    """Make the engines and run one statement.

    Args:
        config: The section.
        root: What a relative SQLite file is relative to.
        environment: The project's.
        project: Its name.
        debug: Its DEBUG.

    Raises:
        ResourceUnavailable: The database cannot be reached, and is `required`.
        MissingExtraError: The driver is not installed.
    """
    application = Application(project=project, environment=environment, debug=debug)
    return await _open(config, root, application)


async def _open(config: Database, root: Path, application: Application) -> DatabaseConnection:
    engines = make_engines(config, root=root, application=application)
    connection = DatabaseConnection(engines=engines, config=config, name=application.database)
    try:
        await _prove(connection)
    except ResourceUnavailable as error:
        if not config.required:
            logger.warning("going on without it, and trying it at each use: %s", error)
            return connection
        await engines.engine.dispose()
        raise
    except BaseException:
        await engines.engine.dispose()
        raise
    return connection


async def _prove(connection: DatabaseConnection) -> None:
    try:
        if connection.config.is_sqlite:
            await asyncio.to_thread(_open_file, str(connection.engine.url.database))
        await connection.ping()
    except (exc.SQLAlchemyError, sqlite3.Error, OSError, TimeoutError) as error:
        raise unavailable(connection.config, error) from error


def _open_file(path: str) -> None:
    """Open a SQLite file once without the asynchronous driver.

    When that fails to open one it leaves a thread behind, which may complain on stderr about the
    end of the event loop.
    """
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA schema_version")
