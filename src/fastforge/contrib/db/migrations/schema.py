"""Schema: the tables at one point of the history, changed by one operation after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from alembic.operations import Operations, ops
from sqlalchemy import Column, Sequence
from sqlalchemy.schema import CreateSequence, DropSequence

from ..internals import copy_of
from .items import Item, constraint_of, index_of, item_name, items_of, table_key
from .sequences import sequence_key
from .shapes import TableShape

__all__ = ["Schema"]


class Schema:
    """The replayed tables, by key."""

    def __init__(self) -> None:
        self._tables: dict[str, TableShape] = {}
        self._sequences: dict[str, tuple[str, Sequence]] = {}

    def __iter__(self) -> Iterator[TableShape]:
        return iter(self._tables.values())

    def __contains__(self, key: object) -> bool:
        return key in self._tables

    def __getitem__(self, key: str) -> TableShape:
        if key in self._tables:
            return self._tables[key]
        raise LookupError(f"there is no table {key} at this point of the history")

    def owned_by(self, label: str) -> dict[str, TableShape]:
        """Return the tables that an app's migrations made, by key."""
        return {key: table for key, table in self._tables.items() if table.owner == label}

    def sequences_of(self, label: str) -> dict[str, Sequence]:
        """Return the sequences that an app's migrations made, by key."""
        return {key: made for key, (owner, made) in self._sequences.items() if owner == label}

    def add(self, table: TableShape, *, keep: bool = False) -> None:
        """Add a new table.

        Args:
            table: The table.
            keep: Leave one of that name as it is, in place of an error.
        """
        if table.key not in self._tables:
            self._tables[table.key] = table
        elif not keep:
            owner = self._tables[table.key].owner
            raise LookupError(f"the table {table.key} is there already, made by {owner!r}")

    def apply(
        self,
        operation: ops.MigrateOperation,
        operations: Operations,
        *,
        label: str,
        migration_id: str,
    ) -> None:
        """Apply one operation; those that change no table are skipped."""
        match operation:
            case ops.DropTableOp():
                self._drop_table(operation)
            case ops.RenameTableOp():
                self._rename_table(operation, label, migration_id)
            case ops.AddColumnOp():
                self._add_column(operation, operations, migration_id)
            case ops.DropColumnOp():
                table = self._table(operation)
                self._put(table.without_column(operation.column_name))
            case ops.AlterColumnOp():
                self._alter_column(operation, migration_id)
            case ops.AddConstraintOp() | ops.CreateIndexOp():
                self._add_item(_named_by_convention(operation, operations), migration_id)
            case ops.DropConstraintOp() | ops.DropIndexOp():
                self._drop_item(operation, operations)
            case ops.CreateTableCommentOp() | ops.DropTableCommentOp():
                comment = getattr(operation, "comment", None)
                self._put(replace(self._table(operation), comment=comment))
            case ops.ExecuteSQLOp():
                self._execute(operation, label)

    def _execute(self, operation: ops.ExecuteSQLOp, label: str) -> None:
        """Note sequences; all else that is executed is data."""
        statement: object = operation.sqltext
        if isinstance(statement, CreateSequence):
            self._sequences[sequence_key(statement.element)] = (label, statement.element)
        elif isinstance(statement, DropSequence):
            self._sequences.pop(sequence_key(statement.element), None)

    def _table(self, operation: Any) -> TableShape:
        return self[table_key(operation.table_name, operation.schema)]

    def _put(self, table: TableShape) -> None:
        self._tables[table.key] = table

    def _drop_table(self, operation: ops.DropTableOp) -> None:
        key = table_key(operation.table_name, operation.schema)
        if key in self._tables:
            del self._tables[key]
        elif not operation.if_exists:
            self._table(operation)

    def _rename_table(self, operation: ops.RenameTableOp, label: str, migration_id: str) -> None:
        renamed = self._table(operation)
        old, new = renamed.key, operation.new_table_name
        shapes = (table.with_renamed_table(old, new, migration_id) for table in self)
        self._tables = {shape.key: shape for shape in shapes}
        # An app that renames another's table has taken it over.
        key = table_key(new, renamed.schema)
        self._tables[key] = replace(self._tables[key], owner=label or renamed.owner)

    def _add_column(
        self, operation: ops.AddColumnOp, operations: Operations, migration_id: str
    ) -> None:
        table = self._table(operation)
        name = operation.column.name
        if name in table.columns and not operation.if_not_exists:
            raise LookupError(f"the table {table.key} has the column {name} already")
        # In a table of its own, the column's index, unique and ForeignKey become items, with
        # names after the convention.
        own = operations.schema_obj.table(table.name, operation.column, schema=table.schema)
        self._put(table.with_column(own.columns[name], items_of(own), migration_id))

    def _alter_column(self, operation: ops.AlterColumnOp, migration_id: str) -> None:
        table = self._table(operation)
        if operation.column_name not in table.columns:
            raise LookupError(f"the table {table.key} has no column {operation.column_name}")
        column = _altered(table.columns[operation.column_name], operation)
        table = replace(table, columns={**table.columns, column.name: column})
        new = operation.modify_name
        if new is None:
            self._put(table)
            return
        old = operation.column_name
        self._put(table.with_renamed_column(old, new, migration_id))
        for other in tuple(self):
            self._put(other.with_referent_column(table.key, old, new))

    def _set_primary_key(self, operation: ops.CreatePrimaryKeyOp) -> None:
        name = operation.constraint_name
        columns = tuple(operation.columns)
        table = self._table(operation)
        self._put(
            replace(
                table, primary_key=columns, primary_key_name=None if name is None else str(name)
            )
        )

    def _add_item(self, item: Item, migration_id: str) -> None:
        source: Any = item
        if isinstance(item, ops.CreatePrimaryKeyOp):
            self._set_primary_key(item)
            return
        if isinstance(item, ops.CreateForeignKeyOp):
            key = table_key(item.source_table, item.kw.get("source_schema"))
        else:
            key = table_key(source.table_name, source.schema)
        table = self[key]
        name = item_name(item)
        self._put(
            replace(
                table,
                items={**table.items, name: item},
                origins={**table.origins, name: migration_id},
            )
        )

    def _drop_item(
        self, operation: ops.DropConstraintOp | ops.DropIndexOp, operations: Operations
    ) -> None:
        name = _dropped_name(operation, operations)
        table = self._holder(operation, name)
        if table is None:
            return
        if name == table.primary_key_name:
            table = replace(table, primary_key=(), primary_key_name=None)
        items = {key: item for key, item in table.items.items() if key != name}
        self._put(replace(table, items=items))

    def _holder(
        self, operation: ops.DropConstraintOp | ops.DropIndexOp, name: str
    ) -> TableShape | None:
        if operation.table_name is not None:
            return self._table(operation)
        return next((table for table in self if name in table.items), None)


def _named_by_convention(
    operation: ops.AddConstraintOp | ops.CreateIndexOp, operations: Operations
) -> Item:
    context = operations.migration_context
    if isinstance(operation, ops.CreateIndexOp):
        return index_of(operation.to_index(context))
    return constraint_of(operation.to_constraint(context))


def _dropped_name(operation: ops.DropConstraintOp | ops.DropIndexOp, operations: Operations) -> str:
    if isinstance(operation, ops.DropIndexOp):
        return str(operation.index_name)
    constraint = operations.schema_obj.generic_constraint(
        operation.constraint_name,
        operation.table_name,
        operation.constraint_type,
        schema=operation.schema,
    )
    return str(constraint.name)


def _altered(column: Column[Any], operation: ops.AlterColumnOp) -> Column[Any]:
    changed = copy_of(column)
    if operation.modify_type is not None:
        changed.type = Column("type", operation.modify_type).type
    if operation.modify_nullable is not None:
        changed.nullable = operation.modify_nullable
    if not isinstance(operation.modify_comment, bool):
        changed.comment = operation.modify_comment
    if operation.modify_server_default is not False:
        default = Column("default", changed.type, server_default=operation.modify_server_default)
        changed.server_default = default.server_default
    return changed
