"""Replay: the migration files run in memory, operation by operation, without a database.

`makemigrations` compares the models with what the files make of an empty schema. Nothing is
asked of a database, so that a second run finds nothing new before `migrate` has run; what
another program keeps in the database is never seen; and operations that only PostgreSQL has
need no PostgreSQL. Raw SQL and data steps are skipped.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, Operations, ops
from sqlalchemy import MetaData

from ...._utils import failing_line, told
from ..model import NAMING_CONVENTION
from .errors import MigrationFileError
from .migration import Migration
from .rendering import postgresql_dialect
from .schema import Schema
from .shapes import TableShape
from .skipping import SkippedConnection

__all__ = ["Observe", "replay", "replayed"]

Observe: TypeAlias = Callable[[Migration, object, Schema], None]
"""Told of each operation, and of each statement of a data step, with the schema before it."""


def replay(
    migrations: Iterable[Migration],
    *,
    until: str | None = None,
    observe: Observe = lambda migration, operation, schema: None,
) -> Schema:
    """Return the schema that migrations make of nothing.

    Args:
        migrations: In an order in which they can run.
        until: The id of the migration before which to stop.
        observe: Called before each operation.

    Raises:
        MigrationFileError: A file cannot be replayed; the error names it and the line.
    """
    schema = Schema()
    for migration in migrations:
        if migration.id == until:
            break
        _run(migration, schema, observe)
    return schema


def replayed(operations: Iterable[ops.MigrateOperation], schema: Schema, *, label: str) -> None:
    """Apply operations that are not in a file yet."""
    operator = _ReplayOperations(_context(), schema, label, "")
    for operation in operations:
        operator.invoke(operation)


def _run(migration: Migration, schema: Schema, observe: Observe) -> None:
    operator = _ReplayOperations(
        _context(),
        schema,
        migration.label,
        migration.id,
        observe=lambda operation: observe(migration, operation, schema),
    )
    try:
        migration.upgrade(operator)
    except Exception as error:
        raise MigrationFileError(
            f"the migration {migration.id} cannot be replayed in memory: {told(error)}",
            code="db.E106",
            hint="change tables by operations, and put steps that read data under"
            " `if not op.get_context().as_sql:`",
            where=failing_line(error, file=str(migration.path)),
        ) from error


def _context() -> MigrationContext:
    return MigrationContext.configure(
        dialect=postgresql_dialect(),
        opts={
            "as_sql": True,
            "output_buffer": io.StringIO(),
            "target_metadata": MetaData(naming_convention=NAMING_CONVENTION),
        },
    )


class _ReplayOperations(Operations):
    def __init__(
        self,
        context: MigrationContext,
        schema: Schema,
        label: str,
        migration_id: str,
        *,
        observe: Callable[[object], None] = lambda operation: None,
    ) -> None:
        super().__init__(context)
        self._observe = observe
        self._schema = schema
        self._label = label
        self._migration_id = migration_id

    def invoke(self, operation: ops.MigrateOperation) -> Any:
        if not isinstance(operation, ops.OpContainer):
            self._observe(operation)
        if isinstance(operation, ops.CreateTableOp):
            table = operation.to_table(self.migration_context)
            shape = TableShape.of(table, owner=self._label, origin=self._migration_id)
            self._schema.add(shape, keep=bool(operation.if_not_exists))
            return table
        if isinstance(operation, ops.OpContainer):
            for inner in operation.ops:
                self.invoke(inner)
        else:
            self._schema.apply(operation, self, label=self._label, migration_id=self._migration_id)
        return None

    @contextmanager
    def batch_alter_table(  # type: ignore[override]
        self, table_name: str, schema: str | None = None, **_options: Any
    ) -> Iterator[BatchOperations]:
        yield _ReplayBatch(self, table_name, schema)

    def get_bind(self) -> Any:
        return SkippedConnection(self.migration_context.dialect, self._observe)

    def run_async(self, *_arguments: Any, **_options: Any) -> Any:
        return None


class _ReplayBatch(BatchOperations):
    def __init__(self, outer: _ReplayOperations, table_name: str, schema: str | None) -> None:
        target: Any = _Target(table_name, schema)
        super().__init__(outer.migration_context, impl=target)
        self._outer = outer

    def invoke(self, operation: ops.MigrateOperation) -> Any:
        return self._outer.invoke(operation)

    def get_bind(self) -> Any:
        return self._outer.get_bind()


class _Target:
    """What alembic's batch operations ask of the thing that they work on."""

    def __init__(self, table_name: str, schema: str | None) -> None:
        self.table_name = table_name
        self.schema = schema
