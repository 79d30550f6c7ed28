"""Faults: what a driver raises, turned into the errors that say what it means, at the engine."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from sqlalchemy import Engine, Table, event, exc
from sqlalchemy.engine import URL, ExceptionContext

from ...._utils import told
from ....exceptions import ForgeError
from .. import errors
from ..pool.reading import WROTE
from ..sessions.progress import note_commit
from .facts import Fault, fault_of

__all__ = ["is_full", "place_of", "translate_errors"]

T = TypeVar("T")

FULL: Final = "53300"

CLASSES: Final[Mapping[str, type[errors.DriverFault]]] = MappingProxyType(
    {
        "23505": errors.UniqueViolation,
        "23503": errors.ForeignKeyViolation,
        "23001": errors.ForeignKeyViolation,  # ON DELETE RESTRICT, since PostgreSQL 18
        "23P01": errors.ExclusionViolation,
        "23502": errors.NotNullViolation,
        "23514": errors.CheckViolation,
        "22001": errors.ValueTooLong,
        "22003": errors.ValueOutOfRange,
        "22008": errors.ValueOutOfRange,  # a moment
        "22021": errors.InvalidText,
        "22P05": errors.InvalidText,  # `\u0000` in JSON
        "40001": errors.SerializationFailure,
        "40P01": errors.Deadlock,
        "55P03": errors.LockTimeout,
        "57014": errors.StatementTimeout,
        FULL: errors.TooManyConnections,
        "08001": errors.ServerUnreachable,
        "08004": errors.ServerUnreachable,
        "57P03": errors.ServerUnreachable,
        "08000": errors.ConnectionLost,
        "08003": errors.ConnectionLost,
        "08006": errors.ConnectionLost,
        "25P03": errors.ConnectionLost,  # idle in a transaction for too long
        "25P04": errors.ConnectionLost,  # in a transaction for too long
        "57P01": errors.ConnectionLost,
        "57P02": errors.ConnectionLost,
        "57P04": errors.ConnectionLost,
        "57P05": errors.ConnectionLost,
    }
)
"""What an SQLSTATE is, alike for every driver."""

# psycopg gives no SQLSTATE for what the server says while a connection is made.
_REFUSALS: Final = (
    (FULL, re.compile(r"too many (clients|connections)|connection slots", re.IGNORECASE)),
    ("28P01", re.compile(r"password authentication failed", re.IGNORECASE)),
    ("3D000", re.compile(r'database ".*" does not exist', re.IGNORECASE)),
    ("57P03", re.compile(r"the database system is (starting|shutting)", re.IGNORECASE)),
)

UNSENT: Final = (OverflowError, UnicodeEncodeError)
"""What drivers raise, and Python in them, for a value that they cannot send."""

_STAGE: Final = "fastforge_stage"
_CONNECT: Final = "connect"
_COMMIT: Final = "commit"


def translate_errors(engine: Engine) -> None:
    """Let whatever fails on an engine be raised by its meaning: `UniqueViolation` and its like.

    It holds for sessions, for connections of the engine's own, for streams, at COMMIT and while
    connecting. An error without a class of its own stays what SQLAlchemy makes of it, and so does
    one that a hook of the user's has replaced. `orig`, `statement`, `params`, `hide_parameters`
    and `connection_invalidated` are those of SQLAlchemy's error.

    Args:
        engine: The engine, before its first connection.
    """
    dialect: Any = engine.dialect
    dialect.connect = _connecting(dialect.connect, dialect)
    dialect.do_commit = _committing(dialect.do_commit, dialect)
    event.listen(engine, "handle_error", _translated)


def _connecting(connect: Callable[..., T], dialect: Any) -> Callable[..., T]:
    """Note of an error that it came while connecting; asyncpg's own is the socket's there."""

    def connect_and_tell(*arguments: Any, **options: Any) -> T:
        try:
            return connect(*arguments, **options)
        except dialect.loaded_dbapi.Error as error:
            setattr(error, _STAGE, _CONNECT)
            raise
        except (OSError, TimeoutError) as error:
            failure = dialect.loaded_dbapi.OperationalError(told(error))
            if isinstance(failure, exc.EmulatedDBAPIException):
                failure.orig = error
            setattr(failure, _STAGE, _CONNECT)
            raise failure from error

    return connect_and_tell


def _committing(commit: Callable[[Any], None], dialect: Any) -> Callable[[Any], None]:
    """Note that something was written for good, and of an error that COMMIT was on its way.

    No hook of SQLAlchemy's tells either.
    """

    def commit_and_tell(connection: Any) -> None:
        try:
            commit(connection)
        except dialect.loaded_dbapi.Error as error:
            setattr(error, _STAGE, _COMMIT)
            raise
        if connection.info.pop(WROTE, False):
            note_commit()

    return commit_and_tell


def _translated(context: ExceptionContext) -> BaseException | None:
    """Return what is raised in place of SQLAlchemy's error; None leaves it."""
    known, original = context.sqlalchemy_exception, context.original_exception
    if isinstance(original, UNSENT):
        known = _of_no_driver(original, context)
    # Set only once a listener before this one has replaced the error.
    if known is None or getattr(context, "chained_exception", None) is not None:
        return None
    if isinstance(original, ForgeError):
        # Ours, of a value that no statement can take. A copy, since it becomes its own cause.
        return copy.copy(original)
    if not isinstance(known, exc.DBAPIError):
        return None
    fault = _fault(original, context)
    kind = _class(fault, context)
    return None if kind is None else _instance(kind, known, fault, _place(context))


def _of_no_driver(
    original: OverflowError | UnicodeEncodeError, context: ExceptionContext
) -> exc.DBAPIError:
    """Return what SQLAlchemy makes of a driver's errors, for a value that a driver chokes on."""
    hidden = context.engine is not None and context.engine.hide_parameters
    return exc.DataError(context.statement, context.parameters, original, hide_parameters=hidden)


def _fault(original: BaseException, context: ExceptionContext) -> Fault:
    driver = original
    if isinstance(original, exc.EmulatedDBAPIException) and original.orig is not None:
        driver = original.orig
    fault = fault_of(driver, _table(context))
    if fault.sqlstate is None and getattr(original, _STAGE, None) == _CONNECT:
        return replace(fault, sqlstate=_state_of_refusal(str(driver)))
    return fault


def _table(context: ExceptionContext) -> Table | None:
    """Return the table that the statement writes, where it was not made from text."""
    compiled: Any = getattr(context.execution_context, "compiled", None)
    table = getattr(getattr(compiled, "statement", None), "table", None)
    return table if isinstance(table, Table) else None


def _state_of_refusal(text: str) -> str:
    return next((state for state, pattern in _REFUSALS if pattern.search(text)), "08001")


def is_full(error: BaseException) -> bool:
    """Return whether a server has said that it has no connection left; also of a driver's error."""
    if isinstance(error, exc.SQLAlchemyError):
        return isinstance(error, errors.TooManyConnections)
    return (getattr(error, "sqlstate", None) or _state_of_refusal(str(error))) == FULL


def _class(fault: Fault, context: ExceptionContext) -> type[errors.DriverFault] | None:
    kind = CLASSES.get(fault.sqlstate or "")
    stage = getattr(context.original_exception, _STAGE, None)
    if stage == _CONNECT:
        return kind if kind is errors.TooManyConnections else errors.ServerUnreachable
    if context.is_disconnect and (kind is None or not issubclass(kind, errors.ServerUnreachable)):
        kind = errors.ConnectionLost  # also where the server has said why, and then hung up
    return errors.CommitUnknown if kind is errors.ConnectionLost and stage == _COMMIT else kind


def _instance(
    kind: type[errors.DriverFault], known: exc.DBAPIError, fault: Fault, database: str
) -> errors.DriverFault:
    error = kind(
        known.statement,
        known.params,
        known.orig,
        hide_parameters=known.hide_parameters,
        connection_invalidated=known.connection_invalidated,
        ismulti=known.ismulti,
    )
    error.fault, error.database = fault, database
    return error


def _place(context: ExceptionContext) -> str:
    engine = context.engine
    return "" if engine is None else place_of(engine.url)


def place_of(url: URL) -> str:
    """Return what a database is, for messages: host, port and name, or the file."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"
