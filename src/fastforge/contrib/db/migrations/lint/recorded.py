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
        made: The keys of the tables that it makes.
        added: The names of the columns that it adds to older tables, as (table, column).
        validated: The constraints that it and those before it validate.
    """

    migration: Migration
    validated: set[str]
    steps: list[Recorded] = field(default_factory=list)
    made: set[str] = field(default_factory=set)
    added: set[tuple[str, str]] = field(default_factory=set)

    def note(self, operation: object, schema: Schema) -> None:
        """Add one, before it changes the schema."""
        statements = statements_in(operation)
        is_operation = isinstance(operation, ops.MigrateOperation) and not statements
        name = _table_of(operation) if is_operation else ""
        if isinstance(operation, ops.CreateTableOp):
            self.made.add(name)
        if isinstance(operation, ops.AddColumnOp):
            # The replay makes the column part of a table, and with it its foreign keys.
            column = copy_of(operation.column)
            operation = ops.AddColumnOp(operation.table_name, column, schema=operation.schema)
        self.steps.append(
            Recorded(
                operation=operation if is_operation else None,  # type: ignore[arg-type]
                statements=statements,
                where=Location(str(self.migration.path), _line_in(str(self.migration.path))),
                name=name,
                table=next((each for each in schema if each.key == name), None),
                is_new=name in self.made,
                validated=frozenset(self.validated),
            )
        )
        if isinstance(operation, ops.RenameTableOp) and name in self.made:
            self.made.add(table_key(operation.new_table_name, operation.schema))
        if isinstance(operation, ops.AddColumnOp):
            self.added.add((name, operation.column.name))
        self.validated |= {each.validated for each in statements if each.validated}


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
