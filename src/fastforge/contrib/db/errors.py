"""What can go wrong with a database, as errors that say what to do, and as facts about a driver's.

ForgeError
└── DatabaseError
    ├── WriteOutsideAtomic      a write, or a lock, where there is no transaction
    ├── TransactionMisuse       a call that does not fit where the session stands
    ├── TransactionFailed       the commit of a transaction that already failed
    ├── SessionClosed           a session used after the request, job or block it belonged to
    ├── ConcurrentSessionUse    two tasks use one session at once
    ├── LazyLoad                an attribute that is not loaded
    ├── NoUnitOfWork            a session asked for where nothing gives one
    ├── PoolExhausted           no connection became free in time
    └── SchemaMissing           a table or column that the database does not have
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sqlalchemy import exc

from ..._utils import first_line, redact
from ...exceptions import ForgeError

__all__ = [
    "ConcurrentSessionUse",
    "DatabaseError",
    "Fault",
    "LazyLoad",
    "NoUnitOfWork",
    "PoolExhausted",
    "SchemaMissing",
    "SessionClosed",
    "TransactionFailed",
    "TransactionMisuse",
    "WriteOutsideAtomic",
    "concurrent_use",
    "describe",
    "schema_missing",
]


class DatabaseError(ForgeError):
    """The root of what contrib.db raises on its own; a driver's errors stay SQLAlchemy's."""


class WriteOutsideAtomic(DatabaseError):
    """Something would be written, or locked, outside `atomic`: nothing has been."""


class TransactionMisuse(DatabaseError):
    """A call that the session cannot take here: `commit` inside a savepoint, `begin`, `stream`."""


class TransactionFailed(DatabaseError):
    """A statement had failed and its error was swallowed: the transaction has been rolled back."""


class SessionClosed(DatabaseError):
    """The request, job or block that this session belonged to is over."""


class ConcurrentSessionUse(DatabaseError):
    """A second task uses a session while the first waits for its statement."""


def concurrent_use() -> ConcurrentSessionUse:
    """Return the error for a second task on a session."""
    return ConcurrentSessionUse(
        "two tasks use one session at the same time",
        code="db.E008",
        hint="give each task its own: `async with session() as db:`",
    )


class LazyLoad(DatabaseError):
    """An attribute that is not loaded was touched, where loading it would need an `await`."""


class NoUnitOfWork(DatabaseError):
    """No request, job, command or `session()` block runs here that could give a session."""


class PoolExhausted(DatabaseError):
    """No connection became free within `pool_timeout_s`; a request is answered with 503."""

    status: ClassVar[int] = 503


class SchemaMissing(DatabaseError):
    """A statement names a table or a column that the database does not have."""


_SQLITE_STATES: Final = {
    "SQLITE_CONSTRAINT_UNIQUE": "23505",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "23505",
    "SQLITE_CONSTRAINT_ROWID": "23505",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "23503",
    "SQLITE_CONSTRAINT_NOTNULL": "23502",
    "SQLITE_CONSTRAINT_CHECK": "23514",
    "SQLITE_BUSY": "55P03",
    "SQLITE_BUSY_RECOVERY": "55P03",
    "SQLITE_BUSY_SNAPSHOT": "55P03",
    "SQLITE_BUSY_TIMEOUT": "55P03",
}
UNIQUE_VIOLATION: Final = "23505"
FOREIGN_KEY_VIOLATION: Final = "23503"
UNDEFINED: Final = ("42P01", "42703")

# What PostgreSQL and SQLite write, with the name in one group for each form.
_MISSING_TABLE: Final = re.compile(r'^(?:relation "(.+)" does not exist|no such table: (\S+))')
_MISSING_COLUMN: Final = re.compile(
    r'^(?:column "?(.+?)"?(?: of relation "(.+)")? does not exist'
    r"|no such column: (\S+)|table (\S+) has no column named (\S+))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The facts about a driver's error, alike for every driver; None where it does not tell.

    Attributes:
        sqlstate: The five characters of the SQL standard; SQLite's own names are translated.
        constraint: The name of the violated constraint (PostgreSQL alone tells it).
        table: Its table (PostgreSQL alone tells it).
    """

    sqlstate: str | None = None
    constraint: str | None = None
    table: str | None = None

    @property
    def is_conflict(self) -> bool:
        """Whether the data clashes with rows that are there: unique or foreign key."""
        return self.sqlstate in (UNIQUE_VIOLATION, FOREIGN_KEY_VIOLATION)


def describe(error: BaseException) -> Fault:
    """Return the facts about a database error; all None for an error of another kind.

    The classes of errors differ between drivers; the SQLSTATE does not. So decide by it:

    ```python
    try:
        await db.flush()
    except IntegrityError as error:
        if describe(error).constraint != "uq_user_email":
            raise
    ```
    """
    if not isinstance(error, exc.DBAPIError):
        return Fault()
    driver: Any = error.driver_exception
    diagnosis = getattr(driver, "diag", driver)
    name = getattr(driver, "sqlite_errorname", None)
    return Fault(
        sqlstate=getattr(driver, "sqlstate", None) or _SQLITE_STATES.get(str(name)),
        constraint=getattr(diagnosis, "constraint_name", None),
        table=getattr(diagnosis, "table_name", None),
    )


def schema_missing(error: BaseException) -> SchemaMissing | None:
    """Return the error for a table or column that is not there; None for any other failure."""
    if not isinstance(error, exc.DBAPIError):
        return None
    text = first_line(str(error.driver_exception))
    if match := _MISSING_TABLE.match(text):
        what = f"the table {match[1] or match[2]!r}"
    elif match := _MISSING_COLUMN.match(text):
        column, table, sqlite, sqlite_table, sqlite_column = match.groups()
        named = (table or sqlite_table, column or sqlite or sqlite_column)
        what = f"the column {'.'.join(filter(None, named))!r}"
    elif describe(error).sqlstate in UNDEFINED and "FROM-clause" not in text:
        what = f"a table or column ({redact(text)})"  # the server speaks another language
    else:
        return None
    return SchemaMissing(
        f"{what} does not exist",
        code="db.E026",
        hint="run: manage migrate (and manage makemigrations when the models changed)",
    )
