"""Recorded: the operations of migration files, with the line and the table of each."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from alembic.operations import ops

from .....exceptions import Location
from ...internals import copy_of
from ..history import History
from ..items import table_key
from ..migration import Migration
from ..replay import replay
from ..schema import Schema
from ..shapes import TableShape
from .statements import Statement, statements_in

__all__ = ["Recorded", "RecordedMigration", "record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One operation of a migration.

    Args:
        operation: The operation; for raw SQL and for a statement of a data step, None.
        statements: What raw SQL or a data step does, as far as its text tells.
        where: The line of the file.
        name: The key of its table; empty when it has none.
        table: The table before the operation, if the files made it.
        is_new: Whether the same migration made the table: nobody uses it yet.
        validated: The constraints that have been validated before.
    """

    operation: ops.MigrateOperation | None
    statements: tuple[Statement, ...]
    where: Location
    name: str
    table: TableShape | None
    is_new: bool
    validated: frozenset[str]


@dataclass(slots=True, kw_only=True)
class RecordedMigration:
    """A migration and all that it does, in order.

    Args:
        migration: The migration.
        steps: Its operations and statements.
        read: The operations that its raw SQL stands for.
        made: The keys of the tables that it makes.
        added: The names of the columns that it adds to older tables, as (table, column).
        validated: The constraints that it and those before it validate.
    """

    migration: Migration
    validated: set[str]
    steps: list[Recorded] = field(default_factory=list)
    read: list[Recorded] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    added: set[tuple[str, str]] = field(default_factory=set)

    def note(self, operation: object, schema: Schema) -> None:
        """Add one, before it changes the schema."""
        statements = statements_in(operation)
        is_operation = isinstance(operation, ops.MigrateOperation) and not statements
        if isinstance(operation, ops.CreateTableOp):
            self.made.add(_table_of(operation))
        if isinstance(operation, ops.AddColumnOp):
            # The replay makes the column part of a table, and with it its foreign keys.
            column = copy_of(operation.column)
            operation = ops.AddColumnOp(operation.table_name, column, schema=operation.schema)
        step = self._step(operation if is_operation else None, statements, schema)
        self.steps.append(step)
        for statement in statements:
            self._note_statement(statement, schema)
        if isinstance(operation, ops.RenameTableOp) and step.is_new:
            self.made.add(table_key(operation.new_table_name, operation.schema))
        if isinstance(operation, ops.AddColumnOp):
            self.added.add((step.name, operation.column.name))

    def _note_statement(self, statement: Statement, schema: Schema) -> None:
        for operation in statement.operations:
            self.read.append(self._step(operation, (), schema))
            if isinstance(operation, ops.AddColumnOp):
                self.added.add((_table_of(operation), operation.column.name))
        if statement.makes:
            self.made.add(statement.makes)
        if statement.validated:
            self.validated.add(statement.validated)

    def _step(self, operation: Any, statements: tuple[Statement, ...], schema: Schema) -> Recorded:
        name = _table_of(operation) if operation is not None else ""
        return Recorded(
            operation=operation,
            statements=statements,
            where=Location(str(self.migration.path), _line_in(str(self.migration.path))),
            name=name,
            table=next((each for each in schema if each.key == name), None),
            is_new=name in self.made,
            validated=frozenset(self.validated),
        )


def record(history: History, chosen: Collection[str]) -> tuple[RecordedMigration, ...]:
    """Return what the chosen migrations do, after replaying those before them.

    Raises:
        MigrationFileError: A file cannot be replayed.
    """
    validated: set[str] = set()
    found = {
        migration.id: RecordedMigration(migration=migration, validated=validated)
        for migration in history
    }

    def observe(migration: Migration, operation: object, schema: Schema) -> None:
        found[migration.id].note(operation, schema)

    replay(history, observe=observe)
    return tuple(each for each in found.values() if each.migration.id in chosen)


def _table_of(operation: Any) -> str:
    name = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
    kw = getattr(operation, "kw", None) or {}
    schema = getattr(operation, "schema", None) or kw.get("source_schema")
    return table_key(name, schema) if isinstance(name, str) else ""


def _line_in(file: str) -> int:
    """Return the line of a file that is being executed now."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == file:
            return frame.f_lineno
        frame = frame.f_back
    return 1
