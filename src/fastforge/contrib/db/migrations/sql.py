"""SQL: what a migration would send to a database, as text, without a database."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, Operations, ops
from sqlalchemy import CheckConstraint, Column, Dialect, Index, MetaData, Table, text
from sqlalchemy.dialects import sqlite

from ...._utils import failing_line, told
from ..model import NAMING_CONVENTION
from ..sqlite_keys import number_every_key
from . import ledger
from .errors import MigrationError
from .history import History
from .items import sql_of_expression, table_key
from .plan import PlannedStep
from .rendering import postgresql_dialect
from .replay import replay, replayed
from .schema import Schema
from .shapes import TableShape
from .sqlite_tables import cast_with_care

__all__ = ["sql_of"]


def sql_of(history: History, step: PlannedStep, *, dialect_name: str) -> str:
    """Return the statements of a step, with the transaction and the ledger row around them.

    Args:
        history: The files; those before the migration tell what its tables look like.
        step: The migration and the direction.
        dialect_name: `postgresql` or `sqlite`.

    Raises:
        MigrationError: The migration needs a database to know what to do.
    """
    migration = step.migration
    before = history.ancestors([migration.id]) - ({migration.id} if step.forward else set())
    schema = replay(item for item in history if item.id in before)
    output = io.StringIO()
    operations = _operations(dialect_name, output, schema, label=migration.label)
    function = migration.upgrade if step.forward else migration.downgrade
    if function is not None:
        try:
            function(operations)
        except Exception as error:
            raise MigrationError(
                f"{migration.id} cannot be written as SQL: {told(error)}",
                code="db.E126",
                hint="put steps that read data under `if not op.get_context().as_sql:`",
                where=failing_line(error, file=str(migration.path)),
            ) from error
    return _framed(output.getvalue().strip(), step, dialect_name)


def _operations(
    dialect_name: str, output: io.StringIO, schema: Schema, *, label: str
) -> Operations:
    dialect: Dialect = sqlite.dialect() if dialect_name == "sqlite" else postgresql_dialect()
    context = MigrationContext.configure(
        dialect=dialect,
        opts={
            "as_sql": True,
            "literal_binds": True,
            "output_buffer": output,
            "target_metadata": MetaData(naming_convention=NAMING_CONVENTION),
        },
    )
    if dialect_name == "sqlite":
        number_every_key(context.dialect)
        cast_with_care(context)
    return _SqlOperations(context, schema, label)


class _SqlOperations(Operations):
    def __init__(self, context: MigrationContext, schema: Schema, label: str) -> None:
        super().__init__(context)
        self._schema = schema
        self._label = label

    def invoke(self, operation: ops.MigrateOperation) -> Any:
        result = super().invoke(operation)
        self.follow(operation)
        return result

    def follow(self, operation: ops.MigrateOperation) -> None:
        """Keep the schema at what the migration has made so far, for its next batch."""
        with suppress(LookupError):  # a table that raw SQL made
            replayed([operation], self._schema, label=self._label)

    @contextmanager
    def batch_alter_table(
        self, table_name: str, schema: str | None = None, *arguments: Any, **options: Any
    ) -> Iterator[BatchOperations]:
        # SQLite makes the table anew; what it looks like, the replay knows.
        key = table_key(table_name, schema)
        if key in self._schema:
            options.setdefault("copy_from", _table(self._schema[key]))
        with super().batch_alter_table(table_name, schema, *arguments, **options) as batch:
            yield _SqlBatch(self, batch)


class _SqlBatch(BatchOperations):
    def __init__(self, outer: _SqlOperations, batch: BatchOperations) -> None:
        super().__init__(outer.migration_context, impl=batch.impl)
        self._outer = outer

    def invoke(self, operation: ops.MigrateOperation) -> Any:
        result = super().invoke(operation)
        self._outer.follow(operation)
        return result


def _table(shape: TableShape) -> Table:
    table = shape.creation().to_table()
    for check in [each for each in table.constraints if isinstance(each, CheckConstraint)]:
        # alembic leaves out what names no column of the table, and takes a literal for a column.
        table.constraints.discard(check)
        words = sql_of_expression(check.sqltext).replace(":", r"\:")
        table.append_constraint(CheckConstraint(text(words), name=check.name))
    for index in shape.indexes:
        Index(index.index_name, *_columns(index, table), unique=index.unique, **index.kw)
    return table


def _columns(index: ops.CreateIndexOp, table: Table) -> Iterator[Any]:
    for column in index.columns:
        name = column.name if isinstance(column, Column) else column
        yield table.columns[name] if isinstance(name, str) and name in table.columns else column


def _framed(statements: str, step: PlannedStep, dialect_name: str) -> str:
    migration_id = step.migration.id.replace("'", "''")
    if step.forward:
        note = f"INSERT INTO {ledger.TABLE_NAME} (id) VALUES ('{migration_id}');"
    else:
        note = f"DELETE FROM {ledger.TABLE_NAME} WHERE id = '{migration_id}';"
    parts = [f"-- {step}", statements, note]
    if step.migration.atomic or dialect_name == "sqlite":
        parts = [parts[0], "BEGIN;", *parts[1:], "COMMIT;"]
    if dialect_name == "sqlite":
        parts = [parts[0], "PRAGMA foreign_keys=OFF;", *parts[1:], "PRAGMA foreign_keys=ON;"]
    return "\n\n".join(part for part in parts if part)
