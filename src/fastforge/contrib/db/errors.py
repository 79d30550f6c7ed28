"""What can go wrong with a database, as errors that say what to do, and as facts about a driver's.

ForgeError
└── DatabaseError
    ├── WriteOutsideAtomic      a write, or a lock, where there is no transaction
    ├── TransactionMisuse       a call that does not fit where the session stands
    ├── TransactionFailed       the commit of a transaction that already failed
    ├── SessionClosed           a session used after the request, job or block it belonged to
    ├── ConcurrentUse           two tasks use one session at once
    ├── LazyLoad                an attribute that is not loaded
    ├── NoUnitOfWork            a session asked for where nothing gives one
    └── PoolExhausted           no connection became free in time
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from sqlalchemy import exc

from ...exceptions import ForgeError

__all__ = [
    "ConcurrentUse",
    "DatabaseError",
    "Fault",
    "LazyLoad",
    "NoUnitOfWork",
    "PoolExhausted",
    "SessionClosed",
    "TransactionFailed",
    "TransactionMisuse",
    "WriteOutsideAtomic",
    "concurrent_use",
    "describe",
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


class ConcurrentUse(DatabaseError):
    """A second task uses a session while the first waits for its statement."""


def concurrent_use() -> ConcurrentUse:
    """Return the error for a second task on a session."""
    return ConcurrentUse(
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
