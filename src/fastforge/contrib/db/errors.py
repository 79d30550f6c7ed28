"""What can go wrong with a database, as errors that say what to do.

ForgeError
└── DatabaseError
    ├── WriteOutsideAtomic      a write, or a lock, where there is no transaction
    ├── TransactionMisuse       a call that does not fit where the session stands
    ├── TransactionFailed       the commit of a transaction that already failed
    ├── SessionClosed           a session used after the request, job or block it belonged to
    ├── ConcurrentSessionUse    two tasks use one session at once
    ├── LazyLoad                an attribute that is not loaded
    ├── NoUnitOfWork            a session asked for where nothing gives one
    ├── NaiveDatetime           a time without a time zone
    ├── PoolExhausted           no connection became free in time
    ├── SchemaMissing           a table or column that the database does not have
    ├── StaleObject             an attribute that somebody else has changed too (`.refreshing`)
    ├── NotFound                no such row (`.lookups`)
    ├── BulkInsertError         rows that do not fit their model (`.bulk`)
    ├── PaginationError         a select that cannot be paged (`.pagination`)
    └── InvalidCursor           a cursor that is none of ours (`.pagination`)

What the server or the driver refuses stays an error of SQLAlchemy's, of the class that one would
catch anyway, by what it means (`DriverFault`, with the facts that are known):

sqlalchemy.exc.DBAPIError
└── DriverFault
    ├── ConstraintViolation         (IntegrityError)
    │   ├── UniqueViolation         a row like this is there already
    │   ├── ForeignKeyViolation     a row that is referred to is not there, or still is
    │   ├── ExclusionViolation      the row overlaps with another one
    │   ├── NotNullViolation        a column got no value
    │   └── CheckViolation          a CHECK says no
    ├── ValueTooLong                (DataError) a text does not fit into its column
    ├── ValueOutOfRange             (DataError) a number does not fit into its column
    ├── InvalidText                 (DataError) a text with NUL, or half of a character
    ├── SerializationFailure        (OperationalError, and so below) run the transaction again
    ├── Deadlock                    two transactions waited for each other
    ├── LockTimeout                 somebody else's lock was not released in time
    ├── StatementTimeout            a statement ran for too long, or was cancelled
    ├── ServerUnreachable           no connection can be made
    │   └── TooManyConnections      the server has no connection left
    └── ConnectionLost              (InterfaceError too) the connection broke off
        └── CommitUnknown           while COMMIT ran: nobody knows whether it took effect
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import exc
from sqlalchemy.orm.exc import DetachedInstanceError

from ..._utils import first_line
from ...exceptions import ForgeError
from .faults.facts import Fault, describe
from .sessions.progress import AGAIN, PARTLY, something_is_committed

__all__ = [
    "CheckViolation",
    "CommitUnknown",
    "ConcurrentSessionUse",
    "ConnectionLost",
    "ConstraintViolation",
    "DatabaseError",
    "Deadlock",
    "DriverFault",
    "ExclusionViolation",
    "Fault",
    "ForeignKeyViolation",
    "InvalidText",
    "LazyLoad",
    "LockTimeout",
    "NaiveDatetime",
    "NoUnitOfWork",
    "NotNullViolation",
    "PoolExhausted",
    "SchemaMissing",
    "SerializationFailure",
    "ServerUnreachable",
    "SessionClosed",
    "StatementTimeout",
    "TooManyConnections",
    "TransactionFailed",
    "TransactionMisuse",
    "UniqueViolation",
    "ValueOutOfRange",
    "ValueTooLong",
    "WriteOutsideAtomic",
    "concurrent_use",
    "describe",
]


class DatabaseError(ForgeError):
    """The root of what contrib.db raises on its own; a driver's errors stay SQLAlchemy's."""


class _Misuse(DatabaseError, exc.InvalidRequestError):
    """What SQLAlchemy, too, would refuse a session, or had better refused."""

    code: str  # pyright: ignore[reportIncompatibleVariableOverride]


class WriteOutsideAtomic(_Misuse):
    """Something would be written, or locked, outside `atomic`: nothing has been."""


class TransactionMisuse(_Misuse):
    """A call that the session cannot take here: `commit` inside a savepoint, `begin`, `stream`."""


class TransactionFailed(_Misuse):
    """A statement had failed and its error was swallowed: the transaction has been rolled back."""


class SessionClosed(_Misuse):
    """The request, job or block that this session belonged to is over."""


class ConcurrentSessionUse(_Misuse):
    """A second task uses a session while the first waits for its statement."""


def concurrent_use() -> ConcurrentSessionUse:
    """Return the error for a second task on a session."""
    return ConcurrentSessionUse(
        "two tasks use one session at the same time",
        code="db.E008",
        hint="give each task its own: `async with session() as db:`",
    )


class LazyLoad(DatabaseError, exc.MissingGreenlet, DetachedInstanceError):
    """An attribute that is not loaded was touched, where loading it would need an `await`."""

    code: str


class NaiveDatetime(DatabaseError, ValueError):
    """A time without a time zone was to be stored: nobody can tell which moment it is."""


class NoUnitOfWork(DatabaseError):
    """No request, job, command or `session()` block runs here that could give a session."""


class PoolExhausted(DatabaseError, exc.TimeoutError):
    """No connection became free within `pool_timeout_s`; a request is answered with 503.

    With 500, and no `Retry-After`, where the request has committed something: it would do that
    part twice.
    """

    code: str  # pyright: ignore[reportIncompatibleVariableOverride]
    status: int = 503
    detail: str = AGAIN
    retry_after_s: int | None = 1

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if something_is_committed():
            self.status, self.detail, self.retry_after_s = 500, PARTLY, None


class SchemaMissing(DatabaseError):
    """A statement names a table or a column that the database does not have."""


# --- what the server or the driver says ---


class DriverFault(exc.DBAPIError):
    """An error of the database whose meaning is known, whichever driver says it.

    `str()` has the first line of what the server said. The lines behind it hold values of rows;
    `driver_exception` has them. SQL and parameters follow, as with every error of SQLAlchemy's.

    Attributes:
        fault: The facts, all together.
        database: Where it is: host, port and name, or the file.
    """

    fault: Fault = Fault()
    database: str = ""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.args = (first_line(self.args[0]),)

    @property
    def sqlstate(self) -> str | None:
        """The five characters of the SQL standard."""
        return self.fault.sqlstate

    @property
    def constraint(self) -> str | None:
        """The name of the violated constraint, where it is known."""
        return self.fault.constraint

    @property
    def table(self) -> str | None:
        """The table, where it is known."""
        return self.fault.table

    @property
    def column(self) -> str | None:
        """The column that is NOT NULL and got no value."""
        return self.fault.column

    def __reduce__(self) -> tuple[Any, ...]:
        kind, arguments, state = cast("tuple[Any, Any, dict[str, Any]]", super().__reduce__())
        return kind, arguments, {**state, "fault": self.fault, "database": self.database}


class ConstraintViolation(DriverFault, exc.IntegrityError):
    """A constraint of the database says no."""


class UniqueViolation(ConstraintViolation):
    """There is a row with these values already; a request is answered with 409.

    ```python
    try:
        async with db.atomic():
            db.add(Customer(email=email))
    except UniqueViolation as error:
        if error.constraint != "uq_orders_customer_email":
            raise
    ```
    """


class ForeignKeyViolation(ConstraintViolation):
    """What a row refers to is not there, or is still referred to; 409."""


class ExclusionViolation(ConstraintViolation):
    """The row overlaps with another one, as PostgreSQL's EXCLUDE forbids; 409."""


class NotNullViolation(ConstraintViolation):
    """A column that is NOT NULL got no value."""


class CheckViolation(ConstraintViolation):
    """A CHECK says no."""


class ValueTooLong(DriverFault, exc.DataError):
    """A text is longer than its column. SQLite takes texts of any length."""


class ValueOutOfRange(DriverFault, exc.DataError):
    """A number, or a moment, is beyond what its column holds, also where it is compared with it."""


class InvalidText(DriverFault, exc.DataError):
    """A text has in it what the database cannot hold: NUL on PostgreSQL, half of a character.

    Also where it is only compared. SQLite takes NUL.
    """


class SerializationFailure(DriverFault, exc.OperationalError):
    """The transaction saw what another one has changed; run again, it may succeed."""


class Deadlock(DriverFault, exc.OperationalError):
    """Two transactions waited for each other, and this one was ended; run again, it may succeed."""


class LockTimeout(DriverFault, exc.OperationalError):
    """A lock was not released within `lock_timeout_s`; on SQLite that of the whole file."""


class StatementTimeout(DriverFault, exc.OperationalError):
    """A statement ran for longer than `statement_timeout_s`, or somebody cancelled it."""


class ServerUnreachable(DriverFault, exc.OperationalError):
    """No connection can be made: the server is down, starts, or refuses."""


class TooManyConnections(ServerUnreachable):
    """The server has no connection left."""


class ConnectionLost(DriverFault, exc.OperationalError, exc.InterfaceError):
    """The connection broke off before the transaction was to be committed: nothing of it is."""


class CommitUnknown(ConnectionLost):
    """The connection broke off while COMMIT ran: nobody knows whether it took effect."""
