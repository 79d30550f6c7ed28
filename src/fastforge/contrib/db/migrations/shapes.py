"""Shapes: what tables look like at one point of the history, as values that can be compared."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from alembic.operations import ops
from sqlalchemy import (
    Column,
    Computed,
    Constraint,
    PrimaryKeyConstraint,
    Table,
)

from ..internals import copy_of, creation_with_constraints
from .items import (
    Item,
    is_unique,
    item_columns,
    items_of,
    of_table,
    referent_key,
    referring_to,
    renamed_in,
    sql_of_expression,
    table_key,
    with_column_name,
)

__all__ = ["TableShape"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """A table with everything that a migration can change.

    Args:
        name: Its name.
        schema: The PostgreSQL schema, if not the default one.
        owner: The label of the app that it belongs to.
        columns: Its columns by name.
        primary_key: The names of the key's columns.
        primary_key_name: The name of the key's constraint.
        items: Its indexes and constraints (without the primary key) by name, as the operations
            that make them.
        comment: Its comment.
        options: What else `Table` was given, for example `sqlite_autoincrement`.
        origins: The ids of the migrations that made the columns, indexes and constraints.
    """

    name: str
    schema: str | None
    owner: str
    columns: Mapping[str, Column[Any]]
    primary_key: tuple[str, ...]
    primary_key_name: str | None
    items: Mapping[str, Item]
    comment: str | None
    options: Mapping[str, Any]
    origins: Mapping[str, str]

    @classmethod
    def of(cls, table: Table, *, owner: str, origin: str = "") -> TableShape:
        """Return the shape of a table of the models or of `op.create_table`."""
        items = items_of(table)
        return cls(
            name=str(table.name),
            schema=table.schema,
            owner=owner,
            columns={column.name: column for column in table.columns},
            primary_key=tuple(column.name for column in table.primary_key.columns),
            primary_key_name=_optional(table.primary_key.name),
            items=items,
            comment=table.comment,
            options=dict(table.kwargs),
            origins=dict.fromkeys([*(column.name for column in table.columns), *items], origin),
        )

    @property
    def key(self) -> str:
        """The name by which the table is known."""
        return table_key(self.name, self.schema)

    @property
    def foreign_keys(self) -> tuple[ops.CreateForeignKeyOp, ...]:
        """The foreign keys among the items."""
        return tuple(
            item for item in self.items.values() if isinstance(item, ops.CreateForeignKeyOp)
        )

    @property
    def indexes(self) -> tuple[ops.CreateIndexOp, ...]:
        """The indexes among the items."""
        return tuple(item for item in self.items.values() if isinstance(item, ops.CreateIndexOp))

    def creation(self) -> ops.CreateTableOp:
        """Return the operation that makes the table, without its indexes."""
        constraints: list[Constraint] = [
            item.to_constraint()
            for item in self.items.values()
            if isinstance(item, ops.AddConstraintOp)
        ]
        if self.primary_key:
            key: Any = PrimaryKeyConstraint(*self.primary_key, name=self.primary_key_name)
            constraints.insert(0, key)
        parts = [*self.columns.values(), *constraints]
        return creation_with_constraints(
            self.name, parts, schema=self.schema, comment=self.comment, **self.options
        )

    def with_column(
        self, column: Column[Any], items: Mapping[str, Item], origin: str
    ) -> TableShape:
        """Return the shape with one more column."""
        return replace(
            self,
            columns={**self.columns, column.name: column},
            items={**self.items, **items},
            origins={**self.origins, **dict.fromkeys([column.name, *items], origin)},
        )

    def without_column(self, name: str) -> TableShape:
        """Return the shape without a column and without what the database drops with it."""
        return replace(
            self,
            columns={key: value for key, value in self.columns.items() if key != name},
            primary_key=tuple(key for key in self.primary_key if key != name),
            items={key: item for key, item in self.items.items() if name not in item_columns(item)},
        )

    def with_renamed_column(self, old: str, new: str, origin: str = "") -> TableShape:
        """Return the shape after `ALTER TABLE ... RENAME COLUMN`."""
        columns = {
            (new if name == old else name): (
                _named(column, new) if name == old else _computed_from(column, old, new)
            )
            for name, column in self.columns.items()
        }
        return replace(
            self,
            columns=columns,
            primary_key=tuple(new if name == old else name for name in self.primary_key),
            items={name: with_column_name(item, old, new) for name, item in self.items.items()},
            origins={**self.origins, new: origin},
        )

    def with_referent_column(self, table: str, old: str, new: str) -> TableShape:
        """Return the shape after another table renamed a column that this one refers to."""

        def follow(item: Item) -> Item:
            if isinstance(item, ops.CreateForeignKeyOp) and referent_key(item) == table:
                item = copy.copy(item)
                item.remote_cols = [new if name == old else name for name in item.remote_cols]
            return item

        return replace(self, items={name: follow(item) for name, item in self.items.items()})

    def with_renamed_table(self, old: str, new: str, origin: str) -> TableShape:
        """Return the shape after a table was renamed: this one, or one that it refers to.

        Args:
            old: The key that the table had.
            new: Its new name, in the same schema.
            origin: The id of the migration that renames it.
        """
        items = {name: referring_to(item, old, new) for name, item in self.items.items()}
        if self.key != old:
            return replace(self, items=items)
        key_name = self.primary_key_name
        return replace(
            self,
            name=new,
            items={name: of_table(item, new) for name, item in items.items()},
            primary_key_name=f"pk_{new}" if key_name == f"pk_{self.name}" else key_name,
            origins=dict.fromkeys(self.origins, origin),
        )

    def origins_of(self, columns: Iterable[str]) -> set[str]:
        """Return the ids of the migrations without which no foreign key could refer to columns."""
        wanted = tuple(columns)
        names = [*wanted, *(name for name, item in self.items.items() if is_unique(item, wanted))]
        return {self.origins[name] for name in names if self.origins.get(name)}


def _computed_from(column: Column[Any], old: str, new: str) -> Column[Any]:
    default = column.server_default
    if not isinstance(default, Computed):
        return column
    changed = copy_of(column)
    sql = renamed_in(sql_of_expression(default.sqltext), old, new)
    changed.server_default = Computed(sql, persisted=default.persisted)
    changed.computed = changed.server_default
    return changed


def _named(column: Column[Any], name: str) -> Column[Any]:
    renamed = copy_of(column)
    renamed.name = renamed.key = name
    return renamed


def _optional(name: Any) -> str | None:
    return name if isinstance(name, str) else None
