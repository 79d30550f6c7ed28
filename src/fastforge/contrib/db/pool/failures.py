"""Failures: transactions of PostgreSQL in which a statement has failed."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Engine, event, exc

from ..errors import describe

__all__ = ["FAILED", "failure_of", "has_failed", "is_refused_after_failure", "note_failures"]

FAILED: Final = "fastforge_failed"
"""In a connection's `info`: the last statement that failed since it was taken out of the pool."""
IN_FAILED_TRANSACTION: Final = "25P02"
"""What PostgreSQL says of all that follows a statement that has failed."""


def note_failures(engine: Engine) -> None:
    """Keep in mind that a statement has failed: PostgreSQL may answer a COMMIT without an error.

    A handler that swallows the error of a statement would else commit nothing and say 201.
    """

    @event.listens_for(engine, "handle_error")
    def note(context: Any) -> None:
        # Only what the server says has an SQLSTATE; a driver's own refusal spoils no transaction.
        connection, error = context.connection, context.original_exception
        if connection is None or connection.invalidated or context.is_disconnect:
            return
        state = getattr(error, "sqlstate", None)
        if state and state != IN_FAILED_TRANSACTION:
            connection.info[FAILED] = error


def is_refused_after_failure(error: BaseException) -> bool:
    """Return whether PostgreSQL has refused a statement because one before it had failed."""
    return describe(error).sqlstate == IN_FAILED_TRANSACTION


def failure_of(connection: Connection) -> BaseException | None:
    """Return what has failed last on a connection; None for nothing, or where it was lost."""
    return None if connection.invalidated else connection.info.get(FAILED)


def has_failed(connection: Connection) -> BaseException | None:
    """Return what has failed when a COMMIT would roll back; None when it would commit.

    A statement may have failed in a savepoint, or before a rollback, and nothing be wrong any
    more. The server knows: it is asked, where there was a failure. To listen to every rollback
    would cost each statement more than this costs the few.
    """
    failure: BaseException | None = connection.info.pop(FAILED, None)
    if failure is None:
        return None
    try:
        connection.exec_driver_sql("SELECT 1")
    except exc.DBAPIError:
        return failure
    return None
