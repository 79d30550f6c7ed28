"""Columns: what adds, alters and drops one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic.operations import ops
from sqlalchemy import Column, Computed

from ..internals import same_affinity
from .change import Change
from .enums import native_enum
from .rendering import Renderer
from .shapes import TableShape

__all__ = ["column_added", "column_altered", "column_dropped"]


def column_added(table: TableShape, column: Column[Any]) -> Change:
    """Return the change that adds a column."""
    add = ops.AddColumnOp.from_column_and_tablename(table.schema, table.name, column)
    return Change(upgrade=(add,), downgrade=(add.reverse(),), title=f"add_{column.name}")


def column_dropped(table: TableShape, column: Column[Any]) -> Change:
    """Return the change that drops a column."""
    drop = ops.DropColumnOp.from_column_and_tablename(table.schema, table.name, column)
    return Change(upgrade=(drop,), downgrade=(drop.reverse(),), title=f"drop_{column.name}")


def column_altered(
    table: TableShape, old: Column[Any], new: Column[Any], renderer: Renderer
) -> Iterator[Change]:
    """Yield what makes the old column the new one: nothing when they are equal."""
    if _computed(old) or _computed(new):
        if renderer.default(old.server_default) != renderer.default(new.server_default):
            # No database alters the expression of a computed column; its values are no loss.
            yield column_dropped(table, old)
            yield column_added(table, new)
        return
    changed = _differences(old, new, renderer)
    if changed:
        yield Change(
            upgrade=(_alteration(table, old, new, changed, renderer),),
            downgrade=(_alteration(table, new, old, changed, renderer),),
            title=f"alter_{new.name}",
        )


def _differences(old: Column[Any], new: Column[Any], renderer: Renderer) -> set[str]:
    found = {
        "type": not renderer.same_type(old.type, new.type),
        "nullable": bool(old.nullable) != bool(new.nullable),
        "server_default": renderer.default(old.server_default)
        != renderer.default(new.server_default),
        "comment": old.comment != new.comment,
    }
    return {name for name, differs in found.items() if differs}


def _alteration(
    table: TableShape,
    old: Column[Any],
    new: Column[Any],
    changed: set[str],
    renderer: Renderer,
) -> ops.AlterColumnOp:
    operation = ops.AlterColumnOp(
        table.name,
        new.name,
        schema=table.schema,
        existing_type=old.type,
        existing_nullable=old.nullable,
        existing_server_default=old.server_default or False,
        existing_comment=old.comment,
    )
    if "type" in changed:
        operation.modify_type = new.type
        using = _cast(old, new, renderer)
        if using:
            operation.kw["postgresql_using"] = using
    if "nullable" in changed:
        operation.modify_nullable = bool(new.nullable)
    if "server_default" in changed:
        operation.modify_server_default = new.server_default
    if "comment" in changed:
        operation.modify_comment = new.comment
    return operation


def _cast(old: Column[Any], new: Column[Any], renderer: Renderer) -> str:
    """Return how PostgreSQL makes the new values of the old ones, if it does not know itself."""
    target = renderer.sql_type(new.type)
    before, after = native_enum(old.type), native_enum(new.type)
    if after is not None and (before is None or before.name != after.name):
        return f"{new.name}::text::{target}"
    alike = same_affinity(old.type, new.type)
    return f"{new.name}::{target}" if before is None and not alike else ""


def _computed(column: Column[Any]) -> bool:
    return isinstance(column.server_default, Computed)
