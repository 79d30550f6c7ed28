"""Opening: a database of a project, with its engines made and the server proven to answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from ...conf import Settings
from ...exceptions import ContainerMissing, ForgeError, ResourceUnavailable
from ...lifecycle import Role, current_container
from .engine import Application, Engines, make_engines
from .faults.translation import is_full
from .faults.unavailable import unavailable
from .pool.pings import ping_beside
from .sessions.session import Session
from .settings import Database

__all__ = [
    "DEFAULT",
    "DatabaseConnection",
    "engines_of",
    "open_database",
    "open_of",
    "role_here",
]

logger = logging.getLogger("fastforge.contrib.db")

DEFAULT: Final = "default"
"""The database that nobody has to name."""


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
        """Run one statement; raises what the driver raises.

        Where all connections are in use it takes one of its own, and gives it up again: that this
        process is busy tells nothing of the server. One that refuses it because it is full has
        answered: that is well, as long as this process has others in use.
        """
        try:
            await self._ask()
        except Exception as error:
            if not (is_full(error) and self.engines.pool.is_in_use):
                raise

    async def _ask(self) -> None:
        pool = self.engines.pool
        if pool.is_exhausted:
            await greenlet_spawn(ping_beside, self.engine.sync_engine, pool)
            return
        session = self.session()
        try:
            await session.scalar(text("SELECT 1"))
        finally:
            await session.close()


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
    try:
        return await _open(config, settings.root, _application(settings, name))
    except ForgeError as error:
        error.where = error.where or settings.where("DATABASES")
        raise


def engines_of(settings: Settings, config: Database, *, name: str = DEFAULT) -> Engines:
    """Make the engines of a database of a project. Nothing is connected yet.

    Args:
        settings: The project's settings.
        config: One of DATABASES, or a variation of it.
        name: Its name there.

    Raises:
        MissingExtraError: The driver is not installed.
    """
    return make_engines(config, root=settings.root, application=_application(settings, name))


def _application(settings: Settings, name: str) -> Application:
    return Application(
        project=settings.module.partition(".")[0],
        role=role_here(),
        environment=settings.environment,
        debug=settings["DEBUG"],
        database=name,
    )


def role_here() -> Role:
    """Return the kind of this process; a migration runs in a command, without a container."""
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
