"""The resources `database` and `databases`: the pools of one process, where sessions come from."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Final

from ..._utils import did_you_mean
from ...conf import Settings
from ...exceptions import SettingsError
from ...lifecycle import Breaker, Role, current_container, provide, resource, watched_breaker
from .errors import DatabaseError
from .faults.unavailable import unavailable
from .inspection.budgeting import warn_of_budget
from .migrations.known import known_migrations
from .opening import DEFAULT, DatabaseConnection, open_database, open_of, role_here
from .pool.breaking import break_connects
from .pool.gauges import DatabaseGauges
from .pool.watched import WatchedPool
from .readiness import MigrationWatch, is_waited_for
from .settings import Database

__all__ = [
    "DEFAULT",
    "DatabaseConnection",
    "breaker_name",
    "connection_of",
    "database",
    "database_gauges",
    "databases",
    "default_database",
    "migration_watch",
    "open_database",
    "open_of",
]

logger = logging.getLogger("fastforge.contrib.db")

QUIET_S: Final = 3.0
"""How long the end of a process waits for connections in use, of the 5 seconds it has."""
BETWEEN_LOOKS_S: Final = 0.02
LEAST_WITHIN_S: Final = 10.0
OPENS_AFTER: Final = 5
"""So many connections in a row that were not made open the breaker of an optional database."""


async def _ping_others(connections: Mapping[str, DatabaseConnection]) -> None:
    for name, connection in connections.items():
        # Without another a process is ready all the same; its breaker is reported.
        if name != DEFAULT and connection.config.required:
            await connection.ping()


def _is_optional(connection: DatabaseConnection) -> bool:
    return not connection.config.required


@resource(ping=DatabaseConnection.ping, optional=_is_optional)
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
        connections = MappingProxyType({DEFAULT: default, **others})
        await warn_of_budget(current_container(), connections)
        yield connections


@resource(ping=MigrationWatch.check, roles={Role.WEB})
async def migration_watch(
    connections: Annotated[Mapping[str, DatabaseConnection], provide(databases)],
) -> AsyncIterator[MigrationWatch]:
    """Let readiness wait for the migrations of this code; in development a notice tells of them."""
    settings = current_container().settings
    watched = {
        name: connection.engines
        for name, connection in connections.items()
        if is_waited_for(connection.config, settings.environment)
    }
    yield MigrationWatch(watched, known_migrations(settings))


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


def database_gauges() -> Mapping[str, DatabaseGauges]:
    """Return what the pools of this process do at this moment, by their names in DATABASES.

    ```python
    for name, gauges in database_gauges().items():
        print(name, gauges.checked_out, gauges.waiting)
    ```

    The few connections by which jobs are claimed and settled are not among them.

    Raises:
        ContainerMissing: No project runs here.
    """
    connections = current_container()[databases]
    return {name: connection.engines.pool.gauges for name, connection in connections.items()}


@asynccontextmanager
async def _opened(
    settings: Settings, name: str, config: Database
) -> AsyncIterator[DatabaseConnection]:
    patient = config.model_copy(update={"statement_timeout_s": 0})  # a job has a limit of its own
    told = patient if role_here() is Role.WORKER else config
    connection = replace(await open_of(settings, told, name=name), config=config)
    if not (config.required or config.is_sqlite):
        break_connects(connection.engine.sync_engine, _breaker_of(name, config))
    try:
        yield connection
    finally:
        await _quiet(connection.engines.pool)
        await connection.engine.dispose()


def breaker_name(name: str) -> str:
    """Return what the breaker of an optional database is called."""
    return f"database {name}"


def _breaker_of(name: str, config: Database) -> Breaker:
    breaker = Breaker(
        breaker_name(name),
        opens_after=OPENS_AFTER,
        within_s=LEAST_WITHIN_S + OPENS_AFTER * config.connect_timeout_s,
        describe=lambda error: str(unavailable(config, error)),
    )
    return watched_breaker(breaker)


async def _quiet(pool: WatchedPool) -> None:
    """Wait until what still runs has given its connections back, for a while."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(QUIET_S):
            while pool.checkedout():  # noqa: ASYNC110 - no pool tells when that is
                await asyncio.sleep(BETWEEN_LOOKS_S)
    if pool.checkedout():
        logger.warning("the pool is closed while it is held by %s", pool.held_by)


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
