"""Shapes: what tables look like at one point of the history, as values that can be compared."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from alembic.operations import ops
from sqlalchemy import (
    ClauseElement,
    Column,
    Computed,
    Constraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    literal_column,
    text,
)

from ..internals import belongs_to_type, copy_of, creation_with_constraints
from .rendering import postgresql_dialect

__all__ = [
    "Item",
    "TableShape",
    "constraint_of",
    "index_of",
    "is_unique",
    "item_columns",
    "item_kind",
    "item_name",
    "items_of",
    "mentions",
    "referent_key",
    "table_key",
]

Item: TypeAlias = ops.AddConstraintOp | ops.CreateIndexOp


def table_key(name: str, schema: str | None) -> str:
    """Return the name by which a table is known: with its schema when it has one."""
    return f"{schema}.{name}" if schema else name


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
            items={name: _with_column_name(item, old, new) for name, item in self.items.items()},
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
        items = {name: _referring_to(item, old, new) for name, item in self.items.items()}
        if self.key != old:
            return replace(self, items=items)
        key_name = self.primary_key_name
        return replace(
            self,
            name=new,
            items={name: _of_table(item, new) for name, item in items.items()},
            primary_key_name=f"pk_{new}" if key_name == f"pk_{self.name}" else key_name,
            origins=dict.fromkeys(self.origins, origin),
        )

    def origins_of(self, columns: Iterable[str]) -> set[str]:
        """Return the ids of the migrations without which no foreign key could refer to columns."""
        wanted = tuple(columns)
        names = [*wanted, *(name for name, item in self.items.items() if is_unique(item, wanted))]
        return {self.origins[name] for name in names if self.origins.get(name)}


def items_of(table: Table) -> dict[str, Item]:
    """Return the constraints (without the primary key) and the indexes of a table by name."""
    found: list[Item] = [
        constraint_of(constraint)
        for constraint in table.constraints
        if not isinstance(constraint, PrimaryKeyConstraint)
        if not belongs_to_type(constraint)
    ]
    found += [index_of(index) for index in table.indexes]
    return dict(sorted((item_name(item), item) for item in found))


def constraint_of(constraint: Constraint) -> ops.AddConstraintOp:
    """Return a constraint as the operation that makes it.

    Without `use_alter`: with it, PostgreSQL's CREATE TABLE leaves the key out and nothing makes it.
    """
    operation = ops.AddConstraintOp.from_constraint(constraint)
    if isinstance(operation, ops.CreateForeignKeyOp):
        operation.kw = {k: v for k, v in operation.kw.items() if k != "use_alter"}
    if isinstance(operation, ops.CreateCheckConstraintOp):
        # As text: made again of the model's columns, it would be one more CHECK of the model.
        operation.condition = literal_column(_sql(operation.condition))
    return operation


def index_of(index: Index) -> ops.CreateIndexOp:
    """Return an index as the operation that makes it; CONCURRENTLY is a way, no property."""
    operation = ops.CreateIndexOp.from_index(index)
    operation.kw = {k: v for k, v in operation.kw.items() if k != "postgresql_concurrently"}
    return operation


def item_name(item: Item) -> str:
    """Return the name of an index or constraint, or a description when it has none."""
    name = item.index_name if isinstance(item, ops.CreateIndexOp) else item.constraint_name  # type: ignore[attr-defined]
    if name is not None:
        return str(name)
    return f"{item_kind(item)} ({', '.join(item_columns(item))}) without a name"


def item_kind(item: Item) -> str:
    """Return what alembic calls the kind of a constraint: check, foreignkey, unique."""
    return "index" if isinstance(item, ops.CreateIndexOp) else str(item.constraint_type)


def item_columns(item: Item) -> tuple[str, ...]:
    """Return the columns of an index or constraint, as far as it names them."""
    if isinstance(item, ops.CreateForeignKeyOp):
        return tuple(item.local_cols)
    if isinstance(item, ops.CreateIndexOp):
        return tuple(str(column.name) for column in item.to_index().columns)
    return tuple(str(name) for name in getattr(item, "columns", ()))


def referent_key(item: ops.CreateForeignKeyOp) -> str:
    """Return the key of the table that a foreign key refers to."""
    return table_key(item.referent_table, item.kw.get("referent_schema"))


def is_unique(item: Item, columns: Iterable[str]) -> bool:
    """Return whether an item lets foreign keys refer to these columns."""
    unique = isinstance(item, ops.CreateUniqueConstraintOp) or (
        isinstance(item, ops.CreateIndexOp) and bool(item.unique)
    )
    return unique and set(item_columns(item)) == set(columns)


def mentions(source: str, name: str) -> bool:
    """Return whether SQL or source names a column."""
    return re.search(rf"\b{re.escape(name)}\b", source) is not None


def _with_column_name(item: Item, old: str, new: str) -> Item:
    item = copy.copy(item)
    if isinstance(item, ops.CreateForeignKeyOp):
        item.local_cols = [new if name == old else name for name in item.local_cols]
    elif isinstance(item, ops.CreateCheckConstraintOp):
        item.condition = _in_text(_sql(item.condition), old, new)
    elif isinstance(item, (ops.CreateIndexOp, ops.CreateUniqueConstraintOp)):
        item.columns = [_in_expression(column, old, new) for column in item.columns]
        item.kw = {
            key: text(_in_text(_sql(value), old, new))
            if isinstance(value, ClauseElement)
            else value
            for key, value in item.kw.items()
        }
    return item


def _in_expression(column: Any, old: str, new: str) -> Any:
    if isinstance(column, str):
        return new if column == old else column
    if isinstance(column, Column):
        return new if column.name == old else column.name
    return literal_column(_in_text(_sql(column), old, new))


def _computed_from(column: Column[Any], old: str, new: str) -> Column[Any]:
    default = column.server_default
    if not isinstance(default, Computed):
        return column
    changed = copy_of(column)
    sql = _in_text(_sql(default.sqltext), old, new)
    changed.server_default = Computed(sql, persisted=default.persisted)
    changed.computed = changed.server_default
    return changed


def _sql(expression: Any) -> str:
    if isinstance(expression, str):
        return expression
    options = {"literal_binds": True, "include_table": False}
    return str(expression.compile(dialect=postgresql_dialect(), compile_kwargs=options))


def _in_text(sql: str, old: str, new: str) -> str:
    """Rename a column in SQL; what stands in single quotes is a value."""
    pattern = rf"'(?:[^']|'')*'|\b{re.escape(old)}\b"
    return re.sub(pattern, lambda found: new if found[0] == old else found[0], sql)


def _referring_to(item: Item, old: str, new: str) -> Item:
    if isinstance(item, ops.CreateForeignKeyOp) and referent_key(item) == old:
        item = copy.copy(item)
        item.referent_table = new
    return item


def _of_table(item: Item, name: str) -> Item:
    item = copy.copy(item)
    if isinstance(item, ops.CreateForeignKeyOp):
        item.source_table = name
    else:
        item.table_name = name  # type: ignore[union-attr]
    return item


def _named(column: Column[Any], name: str) -> Column[Any]:
    renamed = copy_of(column)
    renamed.name = renamed.key = name
    return renamed


def _optional(name: Any) -> str | None:
    return name if isinstance(name, str) else None
