"""Tables: what makes, alters and drops one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from alembic.operations import ops
from sqlalchemy import Column

from ..internals import copy_of
from .change import Change
from .columns import (
    column_added,
    column_altered,
    column_dropped,
    column_tightened,
    computed_before,
    is_replaced,
)
from .enums import types_added, values_added, values_kept
from .fills import filled, values_back
from .items import Item, item_kind, mentions, referent_key
from .rendering import Renderer
from .shapes import TableShape

__all__ = ["table_altered", "table_dropped", "table_made", "tables_in_order"]


def short_name(shape: TableShape) -> str:
    """Return a table's name without the app's label."""
    return shape.name.removeprefix(f"{shape.owner}_")


def table_made(shape: TableShape) -> Change:
    """Return the change that makes a table."""
    made = table_dropped(shape)
    title = f"create_{short_name(shape)}"
    return Change(upgrade=made.downgrade, downgrade=made.upgrade, title=title)


def table_dropped(shape: TableShape) -> Change:
    """Return the change that drops a table."""
    drop = ops.DropTableOp(shape.name, schema=shape.schema)
    return Change(
        upgrade=(*(_drop_of(index, shape) for index in reversed(shape.indexes)), drop),
        downgrade=(shape.creation(), *shape.indexes),
        title=f"drop_{short_name(shape)}",
    )


def tables_in_order(shapes: Iterable[TableShape]) -> list[TableShape]:
    """Return tables so that each comes before those that refer to it, as far as that can be."""
    waiting = {shape.key: shape for shape in shapes}
    ordered: list[TableShape] = []
    while waiting:
        free = [
            key
            for key, shape in waiting.items()
            if not any(
                target in waiting and target != key
                for target in map(referent_key, shape.foreign_keys)
            )
        ]
        ordered.extend(waiting.pop(key) for key in free or list(waiting))
    return ordered


def table_altered(
    old: TableShape, new: TableShape, renderer: Renderer, values: Mapping[str, str]
) -> Iterator[Change]:
    """Yield what changes a table that stays, as one change.

    Indexes stand outside the batch: SQLite makes the table anew for anything in it, and alembic
    cannot drop there an index over an expression, which SQLite does not describe.

    Args:
        old: The replayed table.
        new: The table of the model.
        renderer: Decides which parts are equal.
        values: What rows get in columns that become NOT NULL or are not computed any more, as SQL
            by column.
    """
    back = values_back(old, new)
    plain = {
        name
        for name in values
        if name in old.columns and computed_before(old.columns[name], new.columns[name])
    }
    gone, come = _different(old, new, renderer), _different(new, old, renderer)
    parts = [
        *(_item_dropped(item, old) for item in _links_first(gone)),
        *_columns_changed(old, new, renderer, values, back),
        *([_comment_changed(old, new)] if old.comment != new.comment else []),
        *(_item_added(item, new) for item in reversed(_links_first(come))),
    ]
    steps = [
        *(_item_dropped(item, old) for item in gone if _is_index(item)),
        *map(_only_back, reversed(tuple(_tightened(old, back)))),
        Change(
            upgrade=(*types_added(old, new, renderer), *values_added(old, new)),
            downgrade=tuple(values_kept(old, new)),
            title="",
        ),
        _batch(parts, new),
        *_tightened(new, values, everywhere=plain),
        *(_item_added(item, new) for item in come if _is_index(item)),
    ]
    upgrade = tuple(step for change in steps for step in change.upgrade)
    if upgrade:
        downgrade = tuple(step for change in reversed(steps) for step in change.downgrade)
        titles = [part.title for part in parts if part.title] or [f"change_{short_name(new)}"]
        yield Change(upgrade=upgrade, downgrade=downgrade, title="_and_".join(titles[:2]))


def _tightened(
    table: TableShape, values: Mapping[str, str], *, everywhere: Collection[str] = ()
) -> Iterator[Change]:
    """Yield what fills rows and only then says NOT NULL."""
    if values:
        fills = tuple(filled(table, values, everywhere=everywhere))
        yield Change(upgrade=fills, downgrade=(), title="")
        required = [table.columns[name] for name in values if not table.columns[name].nullable]
        yield _batch([column_tightened(table, column) for column in required], table)


def _only_back(change: Change) -> Change:
    return Change(upgrade=(), downgrade=change.upgrade, title="")


def _different(table: TableShape, other: TableShape, renderer: Renderer) -> list[Item]:
    """Return what the other has not; and what stands on a column that is dropped and added."""
    replaced = [
        name
        for name, column in table.columns.items()
        if name in other.columns and is_replaced(column, other.columns[name], renderer)
    ]
    return [
        item
        for name, item in table.items.items()
        if not _same(item, other.items.get(name), renderer)
        or any(mentions(renderer.text(item), column) for column in replaced)
    ]


def _links_first(items: Sequence[Item]) -> list[Item]:
    """Return the constraints: a foreign key may refer to a unique one of the same table."""
    links = [item for item in items if isinstance(item, ops.CreateForeignKeyOp)]
    return links + [item for item in items if item not in links and not _is_index(item)]


def _batch(parts: Sequence[Change], table: TableShape) -> Change:
    up = [step for part in parts for step in part.upgrade]
    down = [step for part in reversed(parts) for step in part.downgrade]
    return Change(
        upgrade=(ops.ModifyTableOps(table.name, up, schema=table.schema),) if up else (),
        downgrade=(ops.ModifyTableOps(table.name, down, schema=table.schema),) if down else (),
        title="",
    )


def _columns_changed(
    old: TableShape,
    new: TableShape,
    renderer: Renderer,
    values: Mapping[str, str],
    back: Mapping[str, str],
) -> Iterator[Change]:
    for name, column in new.columns.items():
        if name not in old.columns:
            yield column_added(new, _loosened(column) if name in values else column)
    for name, column in new.columns.items():
        if name not in old.columns:
            continue
        wanted = _loosened(column) if name in values else column
        if is_replaced(old.columns[name], column, renderer):
            yield column_dropped(old, old.columns[name])
            yield column_added(new, wanted)
        else:
            yield from column_altered(new, old.columns[name], wanted, renderer)
    for name, column in old.columns.items():
        if name not in new.columns:
            yield column_dropped(old, _loosened(column) if name in back else column)


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
    # Alembic has no word for the others, which only PostgreSQL has.
    kind = item_kind(item) if item_kind(item) in ("check", "foreignkey", "unique") else None
    return ops.DropConstraintOp(name, table.name, type_=kind, schema=table.schema)


def _same(item: Item, other: Item | None, renderer: Renderer) -> bool:
    return other is not None and renderer.text(item) == renderer.text(other)


def _is_index(item: Item) -> bool:
    return isinstance(item, ops.CreateIndexOp)


def _loosened(column: Column[Any]) -> Column[Any]:
    loose = copy_of(column)
    loose.nullable = True
    return loose
