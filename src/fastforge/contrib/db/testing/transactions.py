"""OneTransaction: all that an engine does, inside one transaction that is never committed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, Final, cast

from sqlalchemy import AdaptedConnection, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from .errors import connection_lost
from .turns import Turns

__all__ = ["OneTransaction"]

UNIT: Final = "fastforge_unit"
"""The savepoint that stands for a transaction of the application's."""
CHECK: Final = "fastforge_check"


class OneTransaction:
    """Makes savepoints of the transactions of an engine, below everybody who uses it.

    It stands where SQLAlchemy tells the driver to begin, to commit and to roll back. So sessions
    and connections of the engine are inside alike, and do what they do in production. A statement
    in autocommit is kept, and undone alone when it fails, as it would be there.

    Surprises: the isolation level stays that of the outer transaction, and `now()` is its
    beginning. Its own statements pass no cursor: nobody counts them.

    Args:
        engine: With a pool of one connection.
        checks_deferred: Whether there are constraints that only a COMMIT checks.
    """

    def __init__(self, engine: AsyncEngine, *, checks_deferred: bool) -> None:
        self._engine = engine
        self._checks_deferred = checks_deferred
        self._inside: AdaptedConnection | None = None
        self._closed: list[AdaptedConnection] = []
        self._in_unit = False
        self._is_first = True
        self._failed = False
        self._autocommit = False
        self._is_autocommit_unit = False
        self._read_only = False
        sync = engine.sync_engine
        self._is_sqlite = sync.dialect.name == "sqlite"
        self._turns = Turns(sync)
        self._replace_in(sync)

    @property
    def has_begun(self) -> bool:
        """Whether anything was done since the last end."""
        return self._inside is not None

    async def end(self) -> None:
        """Undo all that the test did; the connection stays for the next one."""
        inside, self._inside = self._inside, None
        was_in_unit, self._in_unit = self._in_unit, False
        if inside is None:
            return
        if was_in_unit:  # somebody has left a block open, and a task may still be in it
            await self._renew(inside)
            return
        try:
            await _execute(inside.driver_connection, self._is_sqlite, ["ROLLBACK"])
        except Exception:  # it was lost; whatever it says, nothing of it is left
            await self._renew(inside)

    async def _renew(self, lost: AdaptedConnection) -> None:
        """Close the connection, whoever uses it, so that its locks are free; go on with another."""
        self._closed.append(lost)
        self._autocommit = self._read_only = False  # nobody gives it back, and takes that back
        if self._is_sqlite:  # which keeps the lock of a closed connection that has a cursor left
            with contextlib.suppress(Exception):
                await _execute(lost.driver_connection, self._is_sqlite, ["ROLLBACK"])
        await greenlet_spawn(self._engine.dialect.do_terminate, lost)
        await self._engine.dispose()
        self._turns.watch(self._engine.sync_engine)

    # --- in the place of the dialect ---

    def _replace_in(self, engine: Engine) -> None:
        dialect: Any = engine.dialect
        self._commit_driver, self._roll_back_driver = dialect.do_commit, dialect.do_rollback
        dialect.do_begin = self._begin
        dialect.do_commit = self._commit
        dialect.do_rollback = self._roll_back
        event.listen(engine, "before_cursor_execute", self._before_statement)
        event.listen(engine, "handle_error", self._note_failure)
        if self._is_sqlite:
            for name in ("do_execute", "do_execute_no_params"):
                setattr(dialect, name, _without_begin(getattr(dialect, name)))
            return
        dialect.set_isolation_level = self._set_isolation_level
        dialect.reset_isolation_level = self._reset_isolation_level
        dialect.set_readonly = self._set_read_only
        dialect.set_deferrable = lambda _connection, _value: None
        event.listen(engine, "connect", _begin_nothing)

    def _begin(self, connection: Any) -> None:
        inside = _adapted(connection)
        if self._inside is not None and self._inside is not inside:
            raise connection_lost()
        opening = [] if self._inside is not None else ["BEGIN"]
        limits = ["SET LOCAL transaction_read_only = on"] if self._read_only else []
        self._run(inside, *opening, f"SAVEPOINT {UNIT}", *limits)
        self._inside, self._in_unit = inside, True
        self._is_autocommit_unit = self._autocommit
        self._is_first, self._failed = True, False

    def _commit(self, connection: Any) -> None:
        if self._read_only:  # it wrote nothing, and only so is the next one allowed to write
            self._roll_back(connection)
        elif self._in_unit or _adapted(connection) in self._closed:
            if _adapted(connection) is not self._inside:
                raise connection_lost()
            self._check_deferred(connection)
            self._end_unit(connection, f"RELEASE SAVEPOINT {UNIT}")
        elif self._inside is None:
            self._commit_driver(connection)

    def _roll_back(self, connection: Any) -> None:
        if not self._in_unit or _adapted(connection) is not self._inside:
            if self._inside is None:
                self._roll_back_driver(connection)
            return
        kept = self._is_autocommit_unit and not self._failed
        back = [] if kept else [f"ROLLBACK TO SAVEPOINT {UNIT}"]
        self._end_unit(connection, *back, f"RELEASE SAVEPOINT {UNIT}")

    def _end_unit(self, connection: Any, *statements: str) -> None:
        self._run(_adapted(connection), *statements)
        self._in_unit = False

    def _check_deferred(self, connection: Any) -> None:
        """Check what a COMMIT would check; then it waits for the next one again."""
        if not self._checks_deferred:
            return
        inside = _adapted(connection)
        cursor = cast(Any, inside).cursor()
        try:
            if self._is_sqlite:
                cursor.execute("PRAGMA foreign_key_check")
                if cursor.fetchone():
                    dbapi: Any = self._engine.dialect.loaded_dbapi
                    raise dbapi.IntegrityError("FOREIGN KEY constraint failed")
                return
            self._run(inside, f"SAVEPOINT {CHECK}")
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self._run(inside, f"ROLLBACK TO SAVEPOINT {CHECK}", f"RELEASE SAVEPOINT {CHECK}")
        finally:
            cursor.close()

    # --- autocommit ---

    def _set_isolation_level(self, _connection: Any, level: str) -> None:
        self._autocommit = level == "AUTOCOMMIT"

    def _reset_isolation_level(self, _connection: Any) -> None:
        self._autocommit = False

    def _set_read_only(self, _connection: Any, value: bool) -> None:
        self._read_only = value

    def _before_statement(self, connection: Any, *_: Any) -> None:
        """Let each statement in autocommit stand for itself."""
        if not (self._is_autocommit_unit and self._in_unit):
            return
        if not self._is_first:
            back = [f"ROLLBACK TO SAVEPOINT {UNIT}"] if self._failed else []
            inside = _adapted(connection.connection)
            self._run(inside, *back, f"RELEASE SAVEPOINT {UNIT}", f"SAVEPOINT {UNIT}")
        self._is_first, self._failed = False, False

    def _note_failure(self, _context: Any) -> None:
        self._failed = True

    def _run(self, connection: AdaptedConnection, *statements: str) -> None:
        connection.run_async(lambda driver: _execute(driver, self._is_sqlite, statements))


async def _execute(driver: Any, is_sqlite: bool, statements: Any) -> None:
    """Run statements past SQLAlchemy, on a server in one round trip."""
    if not is_sqlite:
        # Without being prepared: only so may it be several.
        options = {"prepare": False} if hasattr(driver, "pgconn") else {}
        await driver.execute("; ".join(statements), **options)
        return
    for statement in statements:
        cursor = await driver.execute(statement)
        await cursor.close()


def _adapted(connection: Any) -> AdaptedConnection:
    adapted = connection.dbapi_connection
    assert isinstance(adapted, AdaptedConnection)
    return adapted


def _begin_nothing(connection: Any, _record: Any) -> None:
    """Let the driver begin no transaction of its own."""
    connection.autocommit = True


def _without_begin(execute: Callable[..., None]) -> Callable[..., None]:
    """Leave out the BEGIN that the hooks of SQLite say before each transaction."""

    def run(cursor: Any, statement: str, *arguments: Any) -> None:
        if not statement.startswith("BEGIN"):
            execute(cursor, statement, *arguments)

    return run
