"""SQLite tables: what a table that is made anew would lose, kept.

SQLite alters little in place, so that alembic makes a new table, copies the rows and drops the
old one. It goes by what can be reflected: triggers, expressions and directions of indexes,
AUTOINCREMENT, STRICT and collations cannot. Views, and triggers of other tables, stand aside
meanwhile: while one of them names a table that is not there, SQLite renames nothing.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, Operations
from sqlalchemy import Column, String, Table, TextClause, inspect, text
from sqlalchemy.exc import SAWarning
from sqlalchemy.schema import DefaultClause
from sqlalchemy.types import TypeEngine

from .named_types import quoted
from .sqlite_casts import carry

__all__ = ["SqliteOperations", "cast_with_care"]

_ATTACHED: Final = text("""
    SELECT name, sql FROM sqlite_master
    WHERE tbl_name = :table AND type IN ('index', 'trigger') AND sql IS NOT NULL
""")
_NAMING_OTHERS: Final = text("""
    SELECT type, name, sql FROM sqlite_master
    WHERE type IN ('trigger', 'view') AND lower(tbl_name) <> lower(:table)
    ORDER BY type DESC, rowid
""")
_TABLE: Final = text("SELECT sql FROM sqlite_master WHERE name = :table AND type = 'table'")
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_END: Final = re.compile(r"\)([^()]*)$")


class SqliteOperations(Operations):
    """Alembic's operations on a SQLite connection; `batch_alter_table` loses nothing."""

    def __init__(self, context: MigrationContext) -> None:
        super().__init__(context)
        cast_with_care(context)
        impl: Any = context.impl
        impl.prep_table_for_batch = self._prepare
        self._kept: dict[str, str] = {}
        self._aside: Sequence[Any] = ()

    @contextmanager
    def batch_alter_table(
        self, table_name: str, *arguments: Any, **options: Any
    ) -> Iterator[BatchOperations]:
        connection = self.get_bind()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Skipped unsupported reflection", SAWarning)
            # Alembic leaves it out and goes on: rows would come in that it kept out.
            warnings.filterwarnings("error", "Unnamed CHECK constraint", UserWarning)
            known = {index["name"] for index in inspect(connection).get_indexes(table_name)}
            before = self._attached(table_name)
            self._kept = {name: sql for name, sql in before.items() if name not in known}
            self._aside = ()
            with super().batch_alter_table(table_name, *arguments, **options) as batch:
                yield batch
        after = self._attached(table_name)
        for name, sql in self._kept.items():
            if name not in after:
                connection.exec_driver_sql(sql)
        self._put_back()

    def _prepare(self, batch: Any, table: Table) -> None:
        """Look at the new table before it is made; alembic calls this."""
        for name, column in batch.columns.items():
            if column.computed is not None:
                batch.column_transfers[name].pop("expr", None)
        sql = self.get_bind().scalar(_TABLE, {"table": table.name}) or ""
        _complete(batch.new_table, sql)
        self._put_aside(str(table.name))
        if any("name" in transfer for transfer in batch.column_transfers.values()):
            return  # an index may name a column that is renamed: alembic's own copy follows it
        attached = self._attached(str(table.name))
        for name in [name for name in batch.indexes if name in attached]:
            del batch.indexes[name]
            self._kept[name] = attached[name]

    def _put_aside(self, table_name: str) -> None:
        """Drop what may name the table from outside; `_put_back` makes it again."""
        connection = self.get_bind()
        self._aside = connection.execute(_NAMING_OTHERS, {"table": table_name}).all()
        for row in reversed(self._aside):
            connection.exec_driver_sql(f"DROP {row.type} IF EXISTS {quoted(row.name)}")

    def _put_back(self) -> None:
        connection = self.get_bind()
        for row in self._aside:
            connection.exec_driver_sql(row.sql)
        for view in (row for row in self._aside if row.type == "view"):
            # It is made whatever it names; whoever reads it would find a column missing.
            connection.exec_driver_sql(f"SELECT 1 FROM {quoted(view.name)} LIMIT 0")

    def _attached(self, table_name: str) -> dict[str, str]:
        rows = self.get_bind().execute(_ATTACHED, {"table": table_name})
        return {row.name: row.sql for row in rows}


def cast_with_care(context: MigrationContext) -> None:
    """Let values of a column that changes its type be converted as PostgreSQL would."""

    def convert(existing: Column[Any], transfer: dict[str, Any], new_type: TypeEngine[Any]) -> None:
        carry(existing, transfer, new_type, context.connection)

    impl: Any = context.impl
    impl.cast_for_batch_migrate = convert


def _complete(table: Table, sql: str) -> None:
    options = table.dialect_options["sqlite"]
    end = found[1].upper() if (found := _END.search(sql)) else ""
    options["autoincrement"] = options["autoincrement"] or "AUTOINCREMENT" in sql.upper()
    options["strict"] = "STRICT" in end
    options["with_rowid"] = "WITHOUT ROWID" not in " ".join(end.split())
    for column in table.columns:
        _parenthesise(column.server_default)
        pattern = rf'"?\b{re.escape(column.name)}"?\s[^,]*?\bCOLLATE\s+"?(\w+)'
        collation = re.search(pattern, sql, re.IGNORECASE)
        if collation and isinstance(column.type, String) and not column.type.collation:
            column.type = type(column.type)(column.type.length, collation=collation[1])


def _parenthesise(default: Any) -> None:
    """Put an expression that begins and ends with a text in parentheses: alembic takes it for one.

    SQLite tells of a default without those that it was made with.
    """
    sql = default.arg if isinstance(default, DefaultClause) else None
    if (
        isinstance(sql, TextClause)
        and sql.text.startswith("'")
        and not _LITERAL.fullmatch(sql.text)
    ):
        sql.text = f"({sql.text})"
