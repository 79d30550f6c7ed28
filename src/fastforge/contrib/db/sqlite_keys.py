"""SQLite keys: a primary key of any integer type is numbered there as PostgreSQL would do it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Dialect
from sqlalchemy.dialects.sqlite.base import SQLiteTypeCompiler

__all__ = ["number_every_key"]


def number_every_key(dialect: Dialect) -> None:
    """Let a dialect of SQLite's write INTEGER for a key that the database is to number.

    SQLite numbers what is called INTEGER and nothing else: a BIGINT would have no value at INSERT.
    Its INTEGER has 64 bits as well, so that one migration file is right on both databases.
    """
    dialect.type_compiler_instance = _Types(dialect)


class _Types(SQLiteTypeCompiler):
    """SQLAlchemy's, which is told of the column where the type stands in a CREATE TABLE."""

    def visit_BIGINT(self, type_: Any, **options: Any) -> str:  # noqa: N802
        return "INTEGER" if _is_numbered(**options) else super().visit_BIGINT(type_, **options)

    def visit_SMALLINT(self, type_: Any, **options: Any) -> str:  # noqa: N802
        return "INTEGER" if _is_numbered(**options) else super().visit_SMALLINT(type_, **options)


def _is_numbered(type_expression: Any = None, **_options: Any) -> bool:
    """Return whether the type is that of a column which is its table's whole primary key."""
    if not isinstance(type_expression, Column) or type_expression.table is None:
        return False
    key = type_expression.table.primary_key.columns
    return len(key) == 1 and type_expression.table.autoincrement_column is type_expression
