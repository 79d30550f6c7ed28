"""SQLite: how its connections are prepared, begin and end."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.util.concurrency import in_greenlet

__all__ = ["BEGIN", "prepare_sqlite"]

BEGIN: Final = "fastforge_begin"
"""The execution option that says how a transaction begins; empty for not at all."""


def prepare_sqlite(engine: Engine, *, read_only: bool = False) -> None:
    """Let the connections of an engine begin as it says, and not as the driver would.

    The driver begins nothing by itself; a hook does. IMMEDIATE, because a transaction that reads
    first and writes later fails at once when another has written meanwhile. Nothing at all for
    reads, which else would wait for a writer. SQLAlchemy's AUTOCOMMIT stays out of it: at check-in
    it would give the driver its implicit transactions back.

    Args:
        engine: The engine.
        read_only: Whether SQLite itself is to refuse what writes.
    """
    usual = "BEGIN" if read_only else "BEGIN IMMEDIATE"
    pragmas = ["synchronous=NORMAL", "foreign_keys=ON"]
    pragmas = [*pragmas, "query_only=ON"] if read_only else ["journal_mode=WAL", *pragmas]

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        statement = connection.get_execution_options().get(BEGIN, usual)
        if statement:
            connection.exec_driver_sql(statement)

    event.listen(engine, "invalidate", _roll_back)


def _roll_back(connection: Any, _record: Any, _error: BaseException | None) -> None:
    """Give the write lock back before a connection is thrown away.

    A cancelled statement goes on in the driver's thread, for as long as it takes, unless it is
    interrupted. Closing is not enough: while its cursor is referred to, SQLite keeps the closed
    connection, its transaction and its lock, until Python's garbage is collected.
    """
    if in_greenlet():
        connection.run_async(lambda driver: driver.interrupt())
        connection.rollback()
