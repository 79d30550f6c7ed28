"""Engines: one pool of connections and the ways in which a session looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from sqlalchemy import Engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from .errors import TransactionMisuse
from .faults.translation import place_of, translate_errors
from .pool.arguments import connect_arguments, driver_url, server_limits
from .pool.checkouts import watch_checkouts
from .pool.closing import close_in_peace
from .pool.connecting import connect_as
from .pool.failures import note_failures
from .pool.forks import guard_forks
from .pool.pooled import limit_each_transaction
from .pool.reading import (
    REFUSAL,
    outside_atomic,
    read_only_database,
    read_only_transaction,
    refuse_writes,
)
from .pool.sqlite import BEGIN, prepare_sqlite
from .pool.watched import WatchedPool
from .queries.observing import observe_queries
from .queries.traced import trace_queries
from .settings import Database
from .sqlite_keys import number_every_key

__all__ = ["Application", "Engines", "Isolation", "make_engines", "target_of", "url_of"]

Isolation = Literal["read committed", "repeatable read", "serializable"]
"""How much a transaction sees of others that run beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Whose engines these are.

    Attributes:
        project: The project's name, by which the server knows its connections; empty for none.
        role: The kind of process.
        environment: `development` allows the pool to overflow, and warns of repeated statements.
        debug: Whether answers tell how many statements there were.
        database: The database's name in DATABASES, for messages.
    """

    project: str = ""
    role: str = ""
    environment: str = "production"
    debug: bool = False
    database: str = "default"

    def __str__(self) -> str:
        return ":".join(filter(None, (self.project or "fastforge", self.role)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """An engine, and the views of its one pool.

    Attributes:
        engine: For code that wants a connection of its own: `async with engines.engine.begin()`
            is a transaction on every database (on SQLite it takes the write lock at once).
        read: Every statement stands for itself; a statement that writes is refused.
        single: The same for a session, which says to each connection itself that it does.
        write: Transactions.
        stream: Transactions that only read, for cursors that stay open.
        config: What they were made of.
    """

    engine: AsyncEngine
    read: Engine
    single: Engine
    write: Engine
    stream: Engine
    config: Database
    _views: dict[tuple[Isolation | None, bool], Engine] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def pool(self) -> WatchedPool:
        """The pool, with its gauges."""
        return cast(WatchedPool, self.write.pool)

    def transactions(self, isolation: Isolation | None = None, read_only: bool = False) -> Engine:
        """Return the view whose transactions are so; the same one each time.

        SQLite's transactions are always serializable. One that only reads waits for nobody there.

        Args:
            isolation: None: the server's own, which is `read committed` unless somebody changed it.
            read_only: A statement that writes is refused.
        """
        if isolation is None and not read_only:
            return self.write
        key = (isolation, read_only)
        if key not in self._views:
            self._views[key] = self._transactions(isolation, read_only)
        return self._views[key]

    def refuse_pooler(self, call: str) -> None:
        """Raise TransactionMisuse where a pooler would give each transaction another connection.

        Args:
            call: What needs one connection of the server's to itself.
        """
        if self.config.pooler:
            raise TransactionMisuse(
                f"{call} needs one connection of the server's, and with pooler='transaction' each"
                " transaction may have another",
                code="db.E044",
                hint="do it inside one `atomic`, or in a database of its own in DATABASES whose"
                " url leads past the pooler",
            )

    def _transactions(self, isolation: Isolation | None, read_only: bool) -> Engine:
        is_sqlite = self.config.is_sqlite
        options: dict[str, Any] = {}
        if isolation is not None and not is_sqlite:
            options["isolation_level"] = isolation.upper()
        if read_only:
            options |= {BEGIN: "BEGIN"} if is_sqlite else {"postgresql_readonly": True}
            if not self.config.read_only:
                options[REFUSAL] = read_only_transaction
        return self.write.execution_options(**options)


def make_engines(database: Database, *, root: Path, application: Application) -> Engines:
    """Make the engines of a database. Nothing is connected yet.

    Args:
        database: The section.
        root: What a relative SQLite file is relative to.
        application: Whose they are.

    Raises:
        MissingExtraError: The driver's package is not installed.
    """
    engine = _engine(database, root, application)
    sync = engine.sync_engine
    cast(WatchedPool, sync.pool).database = application.database
    limits = server_limits(database)
    connect_as(
        sync,
        database,
        application=str(application),
        limits={} if database.pooler else limits,
        origin=guard_forks(sync),
    )
    watch_checkouts(sync, idle_ping_s=database.idle_ping_s)
    close_in_peace(sync)
    translate_errors(sync)
    observe_queries(
        sync,
        database,
        project=application.project,
        environment=application.environment,
        debug=application.debug,
    )
    trace_queries(sync, name=application.database)
    refuse_writes(sync)
    if database.read_only:
        sync.update_execution_options(**{REFUSAL: read_only_database(application.database)})
    if database.is_sqlite:
        number_every_key(sync.dialect)
        prepare_sqlite(sync, read_only=database.read_only)
    else:
        note_failures(sync)
        if database.pooler:
            limit_each_transaction(sync, limits)
    return _views(engine, database)


def _engine(database: Database, root: Path, application: Application) -> AsyncEngine:
    overflow = database.max_overflow
    if overflow is None:
        overflow = database.defaults_in(application.environment)["max_overflow"]
    try:
        return create_async_engine(
            url_of(database, root),
            poolclass=WatchedPool,
            pool_size=database.pool_size,
            max_overflow=overflow,
            pool_timeout=database.pool_timeout_s,
            pool_recycle=database.pool_recycle_s or -1,
            connect_args=connect_arguments(database),
            # Errors and their tracebacks end in logs, and parameters are what people have typed.
            hide_parameters=application.environment == "production",
        )
    except ModuleNotFoundError as error:
        raise database.driver.missing() from error


def _views(engine: AsyncEngine, database: Database) -> Engines:
    write = engine.sync_engine
    reading = {} if database.read_only else {REFUSAL: outside_atomic}
    if database.is_sqlite:
        read = single = stream = write.execution_options(**{BEGIN: ""}, **reading)
    else:
        stream = write.execution_options(postgresql_readonly=True, **reading)
        single = write.execution_options(**reading)
        # Behind a pooler a read is a transaction too: asyncpg prepares it in one round trip and
        # runs it in the next, and without one they may reach different servers.
        read = single.execution_options(isolation_level="AUTOCOMMIT")
        if database.pooler:
            read = single = stream
    return Engines(
        engine=engine, read=read, single=single, write=write, stream=stream, config=database
    )


def url_of(database: Database, root: Path) -> URL:
    """Return the URL for the driver, with a relative SQLite file made absolute."""
    url = driver_url(database)
    return url.set(database=str(root / str(url.database))) if database.is_sqlite else url


def target_of(database: Database) -> str:
    """Return what the database is, for messages: host, port and name, or the file."""
    return place_of(make_url(database.url))
