"""Items: the indexes and constraints of a table, as the operations that make them."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from alembic.operations import ops
from sqlalchemy import (
    ClauseElement,
    Column,
    Constraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    literal_column,
    text,
)

from ..internals import belongs_to_type
from .rendering import postgresql_dialect

__all__ = [
    "Item",
    "constraint_of",
    "index_of",
    "is_unique",
    "item_columns",
    "item_kind",
    "item_name",
    "items_of",
    "mentions",
    "of_table",
    "referent_key",
    "referring_to",
    "renamed_in",
    "sql_of_expression",
    "table_key",
    "with_column_name",
]

Item: TypeAlias = ops.AddConstraintOp | ops.CreateIndexOp


def table_key(name: str, schema: str | None) -> str:
    """Return the name by which a table is known: with its schema when it has one."""
    return f"{schema}.{name}" if schema else name


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
        operation.condition = literal_column(sql_of_expression(operation.condition))
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


def with_column_name(item: Item, old: str, new: str) -> Item:
    """Return an item after its table renamed a column."""
    item = copy.copy(item)
    if isinstance(item, ops.CreateForeignKeyOp):
        item.local_cols = [new if name == old else name for name in item.local_cols]
    elif isinstance(item, ops.CreateCheckConstraintOp):
        item.condition = renamed_in(sql_of_expression(item.condition), old, new)
    elif isinstance(item, (ops.CreateIndexOp, ops.CreateUniqueConstraintOp)):
        item.columns = [_in_expression(column, old, new) for column in item.columns]
        item.kw = {
            key: text(renamed_in(sql_of_expression(value), old, new))
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
    return literal_column(renamed_in(sql_of_expression(column), old, new))


def sql_of_expression(expression: Any) -> str:
    """Return an expression as SQL, without the names of tables."""
    if isinstance(expression, str):
        return expression
    options = {"literal_binds": True, "include_table": False}
    return str(expression.compile(dialect=postgresql_dialect(), compile_kwargs=options))


def renamed_in(sql: str, old: str, new: str) -> str:
    """Rename a column in SQL; what stands in single quotes is a value."""
    pattern = rf"'(?:[^']|'')*'|\b{re.escape(old)}\b"
    return re.sub(pattern, lambda found: new if found[0] == old else found[0], sql)


def referring_to(item: Item, old: str, new: str) -> Item:
    """Return an item after a table to which it may refer was renamed."""
    if isinstance(item, ops.CreateForeignKeyOp) and referent_key(item) == old:
        item = copy.copy(item)
        item.referent_table = new
    return item


def of_table(item: Item, name: str) -> Item:
    """Return an item after its own table was renamed."""
    item = copy.copy(item)
    if isinstance(item, ops.CreateForeignKeyOp):
        item.source_table = name
    else:
        item.table_name = name  # type: ignore[union-attr]
    return item
