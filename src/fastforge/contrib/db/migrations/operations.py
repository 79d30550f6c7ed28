"""Operations: alembic's, with what it leaves out on PostgreSQL and on SQLite."""

from __future__ import annotations

from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.operations.ops import CreateTableOp, MigrateOperation
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
    return _PostgresqlOperations(context)


class _PostgresqlOperations(Operations):
    def invoke(self, operation: MigrateOperation) -> Any:
        if isinstance(operation, CreateTableOp):
            # Each time: the migration may have made or dropped a type just before.
            remember_types(self.get_bind(), self.migration_context.impl.memo)
        return super().invoke(operation)
