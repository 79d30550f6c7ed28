"""Operations: alembic's, with what it leaves out on PostgreSQL and on SQLite."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, Operations
from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import SAWarning

from ..model import NAMING_CONVENTION
from .enums import remember_types

__all__ = ["operations_on"]

_ATTACHED: Final = text("""
    SELECT name, sql FROM sqlite_master
    WHERE tbl_name = :table AND type IN ('index', 'trigger') AND sql IS NOT NULL
""")


def operations_on(connection: Connection) -> Operations:
    """Return the operations for a migration function.

    Args:
        connection: In a transaction, or in autocommit.
    """
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
    if connection.dialect.name == "sqlite":
        return _SqliteOperations(context)
    if connection.dialect.name == "postgresql":
        remember_types(connection, context.impl.memo)
    return Operations(context)


class _SqliteOperations(Operations):
    """A table that is made anew keeps its triggers and its indexes over expressions.

    They cannot be reflected, so that alembic does not know of them.
    """

    @contextmanager
    def batch_alter_table(
        self, table_name: str, *arguments: Any, **options: Any
    ) -> Iterator[BatchOperations]:
        connection = self.get_bind()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Skipped unsupported reflection", SAWarning)
            known = {index["name"] for index in inspect(connection).get_indexes(table_name)}
            before = _attached(connection, table_name)
            with super().batch_alter_table(table_name, *arguments, **options) as batch:
                yield batch
        after = _attached(connection, table_name)
        for name, sql in before.items():
            if name not in known and name not in after:
                connection.exec_driver_sql(sql)


def _attached(connection: Connection, table_name: str) -> dict[str, str]:
    rows = connection.execute(_ATTACHED, {"table": table_name})
    return {row.name: row.sql for row in rows}
