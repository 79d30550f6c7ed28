"""Progress: what a migration has sent to the database, for the message when it fails."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy import Connection, event

from ..sessions.statements import is_read

__all__ = ["Progress"]

_CONCURRENTLY: Final = re.compile(r"\bconcurrently\b", re.IGNORECASE)


class Progress:
    """The statements of one migration that have ended, and the one that has not.

    On PostgreSQL a statement that says CONCURRENTLY waits for locks as long as it takes: it waits
    for old transactions and not before a table, so that nobody waits behind it, and when it is
    ended it leaves an index that is not valid.
    """

    def __init__(self) -> None:
        self.done: list[str] = []
        self.current = ""
        self._lock_timeout: str | None = None

    def watch(self, connection: Connection) -> None:
        """Take note of every statement of a connection from now on."""
        event.listen(connection, "before_cursor_execute", self._begin)
        event.listen(connection, "after_cursor_execute", self._end)

    def stop(self, connection: Connection) -> None:
        """Take no note any more; the current statement stays."""
        event.remove(connection, "before_cursor_execute", self._begin)
        event.remove(connection, "after_cursor_execute", self._end)

    @property
    def waits_for_nobody(self) -> bool:
        """Whether the current statement is one that nobody can have to wait behind."""
        return bool(_CONCURRENTLY.search(self.current))

    def _begin(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        self.current = statement
        if connection.dialect.name == "postgresql" and self.waits_for_nobody:
            self._lock_timeout = _ask(connection, "SHOW lock_timeout")
            _ask(connection, "SET lock_timeout = 0")

    def _end(self, connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if not is_read(statement):
            self.done.append(statement)
        self.current = ""
        if self._lock_timeout is not None:
            _ask(connection, f"SET lock_timeout = '{self._lock_timeout}'")
            self._lock_timeout = None


def _ask(connection: Connection, statement: str) -> str:
    # On the driver's connection: SQLAlchemy's would tell us of it as of one of the migration's.
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
        row: Any = cursor.fetchone() if cursor.description else [""]
        return str(row[0])
    finally:
        cursor.close()
