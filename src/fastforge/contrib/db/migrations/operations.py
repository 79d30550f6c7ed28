"""Operations: alembic's, with what it leaves out on PostgreSQL and on SQLite."""

from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData

from ..model import NAMING_CONVENTION
from .enums import remember_types
from .sqlite_tables import SqliteOperations

__all__ = ["operations_on"]


def operations_on(connection: Connection) -> Operations:
    """Return the operations for a migration function.

    Args:
        connection: In a transaction, or in autocommit.
    """
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
    if connection.dialect.name == "sqlite":
        return SqliteOperations(context)
    if connection.dialect.name == "postgresql":
        remember_types(connection, context.impl.memo)
    return Operations(context)
