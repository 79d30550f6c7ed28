"""Failures: transactions of PostgreSQL in which a statement has failed."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Engine, event

__all__ = ["FAILED", "note_failures"]

FAILED: Final = "fastforge_failed"
"""In a connection's `info` while PostgreSQL would answer a COMMIT with a ROLLBACK."""


def note_failures(engine: Engine) -> None:
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
