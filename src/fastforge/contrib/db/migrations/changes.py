"""Changes: what has to be done to make the replayed tables of an app like its models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations import ops
from sqlalchemy import Column, Computed, ForeignKeyConstraint, Table
from sqlalchemy.schema import sort_tables_and_constraints

from .enums import native_enum_steps
from .rendering import Renderer
from .shapes import Item, TableShape, item_kind, referent_key

__all__ = ["Change", "compare", "shapes_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step forward and how to take it back.

    Args:
        upgrade: The operations, in order.
        downgrade: The operations that undo them, in order.
        title: Two or three words for the file's name, for example `add_age`.
    """

    upgrade: tuple[ops.MigrateOperation, ...]
    downgrade: tuple[ops.MigrateOperation, ...]
    title: str


def shapes_of(tables: Iterable[Table], *, owner: str) -> dict[str, TableShape]:
    """Return the shapes of an app's models, by key."""
    shapes = (TableShape.of(table, owner=owner) for table in tables)
    return {shape.key: shape for shape in shapes}


def compare(
    old: Mapping[str, TableShape], tables: Sequence[Table], *, owner: str, renderer: Renderer
) -> tuple[Change, ...]:
    """Return the changes that lead from the replayed tables of an app to its models.

    Args:
        old: The replayed tables that belong to the app.
        tables: The tables of its models.
        owner: The app's label.
        renderer: Decides which parts are equal.
    """
    new = shapes_of(tables, owner=owner)
    created = [table for table in tables if TableShape.of(table, owner=owner).key not in old]
    dropped = [shape for key, shape in old.items() if key not in new]
    kept = [_modified(old[key], new[key], renderer) for key in new if key in old]
    return (
        *_created(created, owner, renderer),
        *(change for changes in kept for change in changes),
        *(_dropped(shape) for shape in _children_first(dropped)),
    )


def short_name(shape: TableShape) -> str:
    """Return a table's name without the app's label."""
    return shape.name.removeprefix(f"{shape.owner}_")


def _created(tables: Sequence[Table], owner: str, renderer: Renderer) -> Iterator[Change]:
    late: list[ForeignKeyConstraint] = []
    for table, constraints in sort_tables_and_constraints(tables):  # type: ignore[no-untyped-call]
        if table is None:
            late.extend(constraints)
            continue
        late.extend(
            constraint
            for constraint in table.foreign_key_constraints
            if constraint not in constraints and constraint.use_alter
        )
        yield _creation(table, owner, late)
    for constraint in dict.fromkeys(late):
        yield _late_foreign_key(constraint)


def _creation(table: Table, owner: str, late: Sequence[ForeignKeyConstraint]) -> Change:
    shape = TableShape.of(table, owner=owner)
    create = ops.CreateTableOp.from_table(table)
    create.columns = [part for part in create.columns if part not in late]
    create.info = {}
    drop = ops.DropTableOp(shape.name, schema=shape.schema)
    return Change(
        upgrade=(create, *shape.indexes),
        downgrade=(*(_drop_of(index, shape) for index in reversed(shape.indexes)), drop),
        title=f"create_{short_name(shape)}",
    )


def _late_foreign_key(constraint: ForeignKeyConstraint) -> Change:
    key = ops.AddConstraintOp.from_constraint(constraint)
    drop = ops.DropConstraintOp.from_constraint(constraint)
    name, schema = constraint.table.name, constraint.table.schema
    return Change(
        upgrade=(ops.ModifyTableOps(name, [key], schema=schema),),
        downgrade=(ops.ModifyTableOps(name, [drop], schema=schema),),
        title=f"link_{name}",
    )


def _dropped(shape: TableShape) -> Change:
    drop = ops.DropTableOp(shape.name, schema=shape.schema)
    return Change(
        upgrade=(*(_drop_of(index, shape) for index in reversed(shape.indexes)), drop),
        downgrade=(shape.creation(), *shape.indexes),
        title=f"drop_{short_name(shape)}",
    )


def _children_first(shapes: Sequence[TableShape]) -> list[TableShape]:
    waiting = {shape.key: shape for shape in shapes}
    ordered: list[TableShape] = []
    while waiting:
        referred = {
            target
            for shape in waiting.values()
            for target in map(referent_key, shape.foreign_keys)
            if target != shape.key
        }
        free = [key for key in waiting if key not in referred] or list(waiting)
        ordered.extend(waiting.pop(key) for key in free)
    return ordered


def _modified(old: TableShape, new: TableShape, renderer: Renderer) -> Iterator[Change]:
    enums = native_enum_steps(old, new, renderer)
    parts = [*_parts(old, new, renderer)]
    if not parts and not enums:
        return
    up = [step for part in parts for step in part.upgrade]
    down = [step for part in reversed(parts) for step in part.downgrade]
    titles = [part.title for part in parts if part.title] or [f"change_{short_name(new)}"]
    modify_up = (ops.ModifyTableOps(new.name, up, schema=new.schema),) if up else ()
    modify_down = (ops.ModifyTableOps(new.name, down, schema=new.schema),) if down else ()
    yield Change(
        upgrade=(*enums, *modify_up), downgrade=modify_down, title="_and_".join(titles[:2])
    )


def _parts(old: TableShape, new: TableShape, renderer: Renderer) -> Iterator[Change]:
    gone = [
        item for name, item in old.items.items() if not _same(item, new.items.get(name), renderer)
    ]
    come = [
        item for name, item in new.items.items() if not _same(item, old.items.get(name), renderer)
    ]
    for item in gone:
        yield Change(upgrade=(_drop_of(item, old),), downgrade=(item,), title="")
    for name, column in new.columns.items():
        if name not in old.columns:
            yield _column_added(new, column)
    for name, column in new.columns.items():
        if name in old.columns:
            yield from _column_altered(new, old.columns[name], column, renderer)
    for name, column in old.columns.items():
        if name not in new.columns:
            yield _column_dropped(old, column)
    if old.comment != new.comment:
        yield _comment_changed(old, new)
    for item in come:
        yield Change(upgrade=(item,), downgrade=(_drop_of(item, new),), title="")


def _column_added(table: TableShape, column: Column[Any]) -> Change:
    add = ops.AddColumnOp.from_column_and_tablename(table.schema, table.name, column)
    return Change(upgrade=(add,), downgrade=(add.reverse(),), title=f"add_{column.name}")


def _column_dropped(table: TableShape, column: Column[Any]) -> Change:
    drop = ops.DropColumnOp.from_column_and_tablename(table.schema, table.name, column)
    return Change(upgrade=(drop,), downgrade=(drop.reverse(),), title=f"drop_{column.name}")


def _column_altered(
    table: TableShape, old: Column[Any], new: Column[Any], renderer: Renderer
) -> Iterator[Change]:
    if _computed(old) or _computed(new):
        if renderer.default(old.server_default) != renderer.default(new.server_default):
            # No database alters the expression of a computed column; its values are no loss.
            yield _column_dropped(table, old)
            yield _column_added(table, new)
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
        if old.type._type_affinity is not new.type._type_affinity:
            target = renderer.sql_type(new.type)
            operation.kw["postgresql_using"] = f"{new.name}::{target}"
    if "nullable" in changed:
        operation.modify_nullable = bool(new.nullable)
    if "server_default" in changed:
        operation.modify_server_default = new.server_default
    if "comment" in changed:
        operation.modify_comment = new.comment
    return operation


def _comment_changed(old: TableShape, new: TableShape) -> Change:
    return Change(
        upgrade=(_comment(new, old),), downgrade=(_comment(old, new),), title="change_comment"
    )


def _comment(table: TableShape, before: TableShape) -> ops.MigrateOperation:
    if table.comment is None:
        return ops.DropTableCommentOp(
            table.name, schema=table.schema, existing_comment=before.comment
        )
    return ops.CreateTableCommentOp(
        table.name, table.comment, schema=table.schema, existing_comment=before.comment
    )


def _drop_of(item: Item, table: TableShape) -> ops.MigrateOperation:
    if isinstance(item, ops.CreateIndexOp):
        return ops.DropIndexOp(item.index_name or "", table.name, schema=table.schema)
    name: Any = item.constraint_name  # type: ignore[attr-defined]
    return ops.DropConstraintOp(name, table.name, type_=item_kind(item), schema=table.schema)


def _same(item: Item, other: Item | None, renderer: Renderer) -> bool:
    return other is not None and renderer.text(item) == renderer.text(other)


def _computed(column: Column[Any]) -> bool:
    return isinstance(column.server_default, Computed)
