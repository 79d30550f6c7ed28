"""Engines: one pool of connections and the three ways in which a session looks at it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from anyio import CancelScope
from sqlalchemy import Engine, event, exc, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import in_greenlet

from .errors import WriteOutsideAtomic
from .faults import place_of, translate_errors
from .queries.observing import observe_queries
from .settings import Database
from .statements import first_words, is_read

__all__ = ["FAILED", "Engines", "Isolation", "make_engines", "target_of"]

Isolation = Literal["read committed", "repeatable read", "serializable"]
"""How much a transaction sees of others that run beside it."""

FOREVER_S: Final = 86_400.0
FAILED: Final = "fastforge_failed"
"""In a connection's `info` while PostgreSQL would answer a COMMIT with a ROLLBACK."""

_BEGIN = "fastforge_begin"
_IDLE_SINCE = "fastforge_idle_since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """An engine, and the views of its one pool.

    Attributes:
        engine: For code that wants a connection of its own: `async with engines.engine.begin()`
            is a transaction on every database (on SQLite it takes the write lock at once).
        read: Every statement stands for itself; a statement that writes is refused.
        write: Transactions.
        stream: Transactions that only read, for cursors that stay open.
        pool_timeout_s: How long one waits for a connection, for messages.
    """

    engine: AsyncEngine
    read: Engine
    write: Engine
    stream: Engine
    pool_timeout_s: float
    _views: dict[tuple[Isolation | None, bool], Engine] = field(
        default_factory=dict, repr=False, compare=False
    )

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

    def _transactions(self, isolation: Isolation | None, read_only: bool) -> Engine:
        is_sqlite = self.write.dialect.name == "sqlite"
        options: dict[str, Any] = {}
        if isolation is not None and not is_sqlite:
            options["isolation_level"] = isolation.upper()
        if read_only:
            options |= {_BEGIN: "BEGIN"} if is_sqlite else {"postgresql_readonly": True}
        view = self.write.execution_options(**options)
        return _reading(view) if read_only else view


def make_engines(
    database: Database, *, root: Path, environment: str, project: str = "", debug: bool = False
) -> Engines:
    """Make the engines of a database. Nothing is connected yet.

    Args:
        database: The section.
        root: What a relative SQLite file is relative to.
        environment: `development` allows the pool to overflow.
        project: The project's name, for the comment of each statement; empty for none.
        debug: Whether answers tell how many statements there were.

    Raises:
        MissingExtraError: The driver's package is not installed.
    """
    url = url_of(database, root)
    overflow = database.max_overflow
    if overflow is None:
        overflow = database.defaults_in(environment)["max_overflow"]
    try:
        engine = create_async_engine(
            url,
            pool_size=database.pool_size,
            max_overflow=overflow,
            pool_timeout=database.pool_timeout_s,
            pool_recycle=database.pool_recycle_s or -1,
            connect_args=_connect_arguments(database),
        )
    except ModuleNotFoundError as error:
        raise database.driver.missing() from error
    _ping_when_idle(engine.sync_engine, database.idle_ping_s)
    _close_in_peace(engine.sync_engine)
    translate_errors(engine.sync_engine)
    observe_queries(
        engine.sync_engine, database, project=project, environment=environment, debug=debug
    )
    return _sqlite(engine, database) if database.is_sqlite else _postgresql(engine, database)


def _close_in_peace(engine: Engine) -> None:
    """Close a connection whose statement was cancelled to its end, also in a scope of anyio.

    Such a scope cancels again and again. That of a stream whose client has left, for one, would
    interrupt the closing too: the server would go on with the statement, and keep its locks.
    """
    dialect = engine.dialect
    for name in ("do_close", "do_terminate"):
        setattr(dialect, name, _in_peace(getattr(dialect, name)))


def _in_peace(close: Callable[[Any], None]) -> Callable[[Any], None]:
    def close_in_peace(connection: Any) -> None:
        if not in_greenlet():  # nothing can be awaited there, and so nothing be interrupted
            close(connection)
            return
        with CancelScope(shield=True):  # noqa: ASYNC100 - SQLAlchemy awaits without the word
            close(connection)

    return close_in_peace


def url_of(database: Database, root: Path) -> URL:
    """Return the URL, with a relative SQLite file made absolute."""
    url = make_url(database.url)
    if not database.is_sqlite:
        return url
    return url.set(database=str(root / str(url.database)))


def target_of(database: Database) -> str:
    """Return what the database is, for messages: host, port and name, or the file."""
    return place_of(make_url(database.url))


def _connect_arguments(database: Database) -> dict[str, Any]:
    """Return what the driver is told, so that the server's limits need no round trip."""
    if database.is_sqlite:
        return {"timeout": database.lock_timeout_s or FOREVER_S}
    limits = _server_limits(database)
    if database.scheme.endswith("asyncpg"):
        return {"timeout": database.connect_timeout_s, "server_settings": limits}
    given = make_url(database.url).query.get("options", ())  # ours would replace them
    options = [given] if isinstance(given, str) else [*given]
    return {
        # libpq counts whole seconds and reads less than 2 as 2.
        "connect_timeout": max(2, math.ceil(database.connect_timeout_s)),
        "options": " ".join([*options, *(f"-c {name}={value}" for name, value in limits.items())]),
    }


def _server_limits(database: Database) -> dict[str, str]:
    limits_s = {
        "statement_timeout": database.statement_timeout_s,
        "lock_timeout": database.lock_timeout_s,
        "idle_in_transaction_session_timeout": database.idle_in_transaction_timeout_s,
    }
    if database.client_check_interval_s:  # servers before 14 do not know it, not even as 0
        limits_s["client_connection_check_interval"] = database.client_check_interval_s
    return {name: str(math.ceil(limit_s * 1000)) for name, limit_s in limits_s.items()}


def _postgresql(engine: AsyncEngine, database: Database) -> Engines:
    write = engine.sync_engine
    _note_failures(write)
    return Engines(
        engine=engine,
        read=_reading(write.execution_options(isolation_level="AUTOCOMMIT")),
        write=write,
        stream=_reading(write.execution_options(postgresql_readonly=True)),
        pool_timeout_s=database.pool_timeout_s,
    )


def _sqlite(engine: AsyncEngine, database: Database) -> Engines:
    """Return the engines of a SQLite file.

    The driver begins nothing by itself; a hook does. IMMEDIATE, because a transaction that reads
    first and writes later fails at once when another has written meanwhile. Nothing at all for
    reads, which else would wait for a writer. SQLAlchemy's AUTOCOMMIT stays out of it: at check-in
    it would give the driver its implicit transactions back.
    """
    write = engine.sync_engine
    event.listen(write, "connect", _prepare_sqlite)
    event.listen(write, "begin", _begin_sqlite)
    event.listen(write, "invalidate", _roll_back_sqlite)
    read = _reading(write.execution_options(**{_BEGIN: ""}))
    return Engines(
        engine=engine,
        read=read,
        write=write,
        stream=read,
        pool_timeout_s=database.pool_timeout_s,
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _roll_back_sqlite(connection: Any, _record: Any, _error: BaseException | None) -> None:
    """Give the write lock back before a connection is thrown away.

    Closing is not enough: while a cancelled statement's cursor is referred to, SQLite keeps the
    closed connection, its transaction and its lock, until Python's garbage is collected.
    """
    if in_greenlet():
        connection.rollback()


def _begin_sqlite(connection: Any) -> None:
    statement = connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE")
    if statement:
        connection.exec_driver_sql(statement)


def _reading(view: Engine) -> Engine:
    event.listen(view, "before_cursor_execute", _refuse_write)
    return view


def _refuse_write(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    """Refuse what a read view must not see, whatever way it came: ORM, Core, text or driver SQL."""
    if not is_read(statement):
        raise WriteOutsideAtomic(
            f"this statement does not only read, and there is no transaction:"
            f" {first_words(statement)}",
            code="db.E001",
            hint="put it inside `async with db.atomic():`",
        )


def _ping_when_idle(engine: Engine, idle_s: float) -> None:
    """Try a connection before its use when it was idle for long; a busy pool pays nothing."""

    @event.listens_for(engine, "checkin")
    def note_time(_connection: Any, record: Any) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(_connection: Any, record: Any, proxy: Any) -> None:
        since = record.info.get(_IDLE_SINCE)
        if since is None or time.monotonic() - since <= idle_s:
            return
        try:
            engine.dialect.do_ping(proxy.dbapi_connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise exc.DisconnectionError from error


def _note_failures(engine: Engine) -> None:
    """Keep in mind that a transaction has failed: PostgreSQL answers its COMMIT without an error.

    A handler that swallows the error of a statement would else commit nothing and say 201.
    """

    @event.listens_for(engine, "handle_error")
    def note(context: Any) -> None:
        # Only what the server says has an SQLSTATE; a driver's own refusal spoils no transaction.
        connection, error = context.connection, context.original_exception
        if connection is None or connection.invalidated or context.is_disconnect:
            return
        if getattr(error, "sqlstate", None):
            connection.info[FAILED] = error

    @event.listens_for(engine, "rollback")
    def forget(connection: Any) -> None:
        if not connection.invalidated:
            connection.info.pop(FAILED, None)

    @event.listens_for(engine, "rollback_savepoint")
    def forget_in_savepoint(connection: Any, _name: str, _context: Any) -> None:
        forget(connection)

    @event.listens_for(engine, "checkin")
    def forget_at_checkin(_connection: Any, record: Any) -> None:
        record.info.pop(FAILED, None)
