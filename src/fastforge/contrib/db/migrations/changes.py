"""Changes: what has to be done to make the replayed tables of an app like its models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from alembic.operations import ops
from sqlalchemy import ForeignKeyConstraint, Table
from sqlalchemy.schema import sort_tables_and_constraints

from .change import Change
from .columns import column_added, column_altered, column_dropped
from .enums import creation_of, enum_types, native_enum_steps, removal_of
from .rendering import Renderer
from .shapes import Item, TableShape, item_kind, referent_key

__all__ = ["compare", "shapes_of"]


def shapes_of(tables: Iterable[Table], *, owner: str) -> dict[str, TableShape]:
    """Return the shapes of an app's models, by key."""
    shapes = (TableShape.of(table, owner=owner) for table in tables)
    return {shape.key: shape for shape in shapes}


def compare(
    old: Mapping[str, TableShape],
    tables: Sequence[Table],
    *,
    owner: str,
    others: Sequence[TableShape],
    renderer: Renderer,
) -> tuple[Change, ...]:
    """Return the changes that lead from the replayed tables of an app to its models.

    Args:
        old: The replayed tables that belong to the app.
        tables: The tables of its models.
        owner: The app's label.
        others: The replayed tables of other apps, which may share enum types with these.
        renderer: Decides which parts are equal.
    """
    new = shapes_of(tables, owner=owner)
    created = [table for table in tables if TableShape.of(table, owner=owner).key not in old]
    dropped = [shape for key, shape in old.items() if key not in new]
    kept = [_modified(old[key], new[key], renderer) for key in new if key in old]
    return (
        *_types_made([*old.values(), *others], new.values(), renderer),
        *_created(created, owner),
        *(change for changes in kept for change in changes),
        *(_dropped(shape) for shape in _children_first(dropped)),
        *_types_dropped(old.values(), [*new.values(), *others], renderer),
    )


def short_name(shape: TableShape) -> str:
    """Return a table's name without the app's label."""
    return shape.name.removeprefix(f"{shape.owner}_")


def _types_made(
    before: Iterable[TableShape], after: Iterable[TableShape], renderer: Renderer
) -> Iterator[Change]:
    """What uses a new enum type makes it; taking everything back drops it in the end."""
    known = enum_types(before)
    made = [enum for name, enum in enum_types(after).items() if name not in known]
    if made:
        drops = tuple(removal_of(enum, renderer) for enum in made)
        yield Change(upgrade=(), downgrade=drops, title="")


def _types_dropped(
    before: Iterable[TableShape], after: Iterable[TableShape], renderer: Renderer
) -> Iterator[Change]:
    used = enum_types(after)
    unused = [enum for name, enum in enum_types(before).items() if name not in used]
    if unused:
        yield Change(
            upgrade=tuple(removal_of(enum, renderer) for enum in unused),
            downgrade=tuple(creation_of(enum, renderer) for enum in unused),
            title="",
        )


def _created(tables: Sequence[Table], owner: str) -> Iterator[Change]:
    # The last entry has the keys that cannot be made with their table: those of circles.
    *ordered, (_, late) = sort_tables_and_constraints(tables)  # type: ignore[no-untyped-call]
    for table, _ in ordered:
        yield _creation(table, owner, late)
    for constraint in late:
        yield _late_foreign_key(constraint)


def _creation(table: Table, owner: str, late: Sequence[ForeignKeyConstraint]) -> Change:
    shape = TableShape.of(table, owner=owner)
    create = ops.CreateTableOp.from_table(table)
    left_out = set(map(id, late))
    create.columns = [part for part in create.columns if id(part) not in left_out]
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
    """Yield what changes a table that stays, as one change.

    Indexes stand outside the batch: SQLite makes the table anew for anything in it, and alembic
    cannot drop there an index over an expression, which SQLite does not describe.
    """
    gone, come = _different(old, new, renderer), _different(new, old, renderer)
    enums = native_enum_steps(old, new, renderer)
    parts = [
        *(_item_dropped(item, old) for item in gone if not _is_index(item)),
        *_columns_changed(old, new, renderer),
        *([_comment_changed(old, new)] if old.comment != new.comment else []),
        *(_item_added(item, new) for item in come if not _is_index(item)),
    ]
    changes = [
        *(_item_dropped(item, old) for item in gone if _is_index(item)),
        Change(upgrade=enums, downgrade=(), title=""),
        _batch(parts, new),
        *(_item_added(item, new) for item in come if _is_index(item)),
    ]
    upgrade = tuple(step for change in changes for step in change.upgrade)
    if upgrade:
        downgrade = tuple(step for change in reversed(changes) for step in change.downgrade)
        titles = [part.title for part in parts if part.title] or [f"change_{short_name(new)}"]
        yield Change(upgrade=upgrade, downgrade=downgrade, title="_and_".join(titles[:2]))


def _different(table: TableShape, other: TableShape, renderer: Renderer) -> list[Item]:
    return [
        item
        for name, item in table.items.items()
        if not _same(item, other.items.get(name), renderer)
    ]


def _batch(parts: Sequence[Change], table: TableShape) -> Change:
    up = [step for part in parts for step in part.upgrade]
    down = [step for part in reversed(parts) for step in part.downgrade]
    return Change(
        upgrade=(ops.ModifyTableOps(table.name, up, schema=table.schema),) if up else (),
        downgrade=(ops.ModifyTableOps(table.name, down, schema=table.schema),) if down else (),
        title="",
    )


def _columns_changed(old: TableShape, new: TableShape, renderer: Renderer) -> Iterator[Change]:
    for name, column in new.columns.items():
        if name not in old.columns:
            yield column_added(new, column)
    for name, column in new.columns.items():
        if name in old.columns:
            yield from column_altered(new, old.columns[name], column, renderer)
    for name, column in old.columns.items():
        if name not in new.columns:
            yield column_dropped(old, column)


def _item_added(item: Item, table: TableShape) -> Change:
    return Change(upgrade=(item,), downgrade=(_drop_of(item, table),), title="")


def _item_dropped(item: Item, table: TableShape) -> Change:
    return Change(upgrade=(_drop_of(item, table),), downgrade=(item,), title="")


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


def _is_index(item: Item) -> bool:
    return isinstance(item, ops.CreateIndexOp)
