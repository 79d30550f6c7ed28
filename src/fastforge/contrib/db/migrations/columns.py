"""Columns: what adds, alters and drops one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic.operations import ops
from sqlalchemy import Column, Computed, Identity

from .casting import cast_of
from .change import Change
from .items import sql_of_expression
from .rendering import Renderer
from .shapes import TableShape

__all__ = [
    "column_added",
    "column_altered",
    "column_dropped",
    "column_tightened",
    "computed_before",
    "is_replaced",
]


def column_added(table: TableShape, column: Column[Any]) -> Change:
    """Return the change that adds a column."""
    add = ops.AddColumnOp.from_column_and_tablename(table.schema, table.name, column)
    return Change(upgrade=(add,), downgrade=(add.reverse(),), title=f"add_{column.name}")


def column_dropped(table: TableShape, column: Column[Any]) -> Change:
    """Return the change that drops a column."""
    drop = ops.DropColumnOp.from_column_and_tablename(table.schema, table.name, column)
    return Change(upgrade=(drop,), downgrade=(drop.reverse(),), title=f"drop_{column.name}")


def is_replaced(old: Column[Any], new: Column[Any], renderer: Renderer) -> bool:
    """Return whether a column has to be dropped and added: no database alters a computed one."""
    if not (_computed(old) or _computed(new)):
        return False
    return not renderer.same_type(old.type, new.type) or (
        renderer.default(old.server_default) != renderer.default(new.server_default)
    )


def computed_before(old: Column[Any], new: Column[Any]) -> str:
    """Return the SQL that a column was computed by and is no more; empty for any other."""
    before, after = old.server_default, new.server_default
    if isinstance(before, Computed) and not isinstance(after, (Computed, Identity)):
        return sql_of_expression(before.sqltext)
    return ""


def column_altered(
    table: TableShape, old: Column[Any], new: Column[Any], renderer: Renderer
) -> Iterator[Change]:
    """Yield what makes the old column the new one: nothing when they are equal."""
    changed = _differences(old, new, renderer)
    if changed:
        yield Change(
            upgrade=tuple(_alterations(table, old, new, changed)),
            downgrade=tuple(_alterations(table, new, old, changed)),
            title=f"alter_{new.name}",
        )


def column_tightened(table: TableShape, column: Column[Any]) -> Change:
    """Return the change that makes a column NOT NULL after its rows were filled."""
    return Change(
        upgrade=(_nullable(table, column, value=False),),
        downgrade=(_nullable(table, column, value=True),),
        title="",
    )


def _nullable(table: TableShape, column: Column[Any], *, value: bool) -> ops.AlterColumnOp:
    operation = _alteration(table, column, column)
    operation.modify_nullable = value
    return operation


def _differences(old: Column[Any], new: Column[Any], renderer: Renderer) -> set[str]:
    found = {
        "type": not renderer.same_type(old.type, new.type),
        "nullable": bool(old.nullable) != bool(new.nullable),
        "server_default": renderer.default(old.server_default)
        != renderer.default(new.server_default),
        "comment": old.comment != new.comment,
    }
    return {name for name, differs in found.items() if differs}


def _alterations(
    table: TableShape, old: Column[Any], new: Column[Any], changed: set[str]
) -> Iterator[ops.AlterColumnOp]:
    """Yield one alteration; three where PostgreSQL could not cast the default to the new type."""
    using = cast_of(new.name, old.type, new.type) if "type" in changed else ""
    apart = bool(using) and old.server_default is not None and not _identity(old)
    if apart:
        lifted = _alteration(table, old, new)
        lifted.modify_server_default = None
        yield lifted
    operation = _alteration(table, old, new)
    if "type" in changed:
        operation.modify_type = new.type
        if using:
            operation.kw["postgresql_using"] = using
    if "nullable" in changed:
        operation.modify_nullable = bool(new.nullable)
    if "server_default" in changed and not apart:
        operation.modify_server_default = new.server_default
    if "comment" in changed:
        operation.modify_comment = new.comment
    if apart:
        operation.existing_server_default = False
    yield operation
    if apart and new.server_default is not None:
        yield _default_set(table, new)


def _default_set(table: TableShape, new: Column[Any]) -> ops.AlterColumnOp:
    operation = _alteration(table, new, new)
    operation.modify_server_default = new.server_default
    operation.existing_server_default = False
    return operation


def _alteration(table: TableShape, old: Column[Any], new: Column[Any]) -> ops.AlterColumnOp:
    return ops.AlterColumnOp(
        table.name,
        new.name,
        schema=table.schema,
        existing_type=old.type,
        existing_nullable=old.nullable,
        existing_server_default=old.server_default or False,
        existing_comment=old.comment,
    )


def _computed(column: Column[Any]) -> bool:
    return isinstance(column.server_default, Computed)


def _identity(column: Column[Any]) -> bool:
    return isinstance(column.server_default, Identity)
