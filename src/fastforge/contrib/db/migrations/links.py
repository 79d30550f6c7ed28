"""Links: foreign keys that have to go before everything else, or to come after it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from alembic.operations import ops

from .change import Change
from .items import is_unique, item_name, referent_key
from .rendering import Renderer
from .shapes import TableShape

__all__ = ["Link", "early_links", "late_links", "link_dropped", "link_made", "without_links"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A foreign key of a table.

    Args:
        table: The table that has it.
        key: The operation that makes it.
    """

    table: TableShape
    key: ops.CreateForeignKeyOp

    @property
    def place(self) -> tuple[str, str]:
        """The table's key and the foreign key's name."""
        return self.table.key, item_name(self.key)


def early_links(
    old: Mapping[str, TableShape],
    new: Mapping[str, TableShape],
    renderer: Renderer,
    apart: Collection[str],
) -> list[Link]:
    """Return the foreign keys that have to be dropped first.

    Those that go while what they refer to goes as well: a column or a unique constraint of a
    table that stays, a table that refers back, a table of another app (`apart`).
    """
    dropped = {key: shape for key, shape in old.items() if key not in new}
    circle = _in_circles(dropped)
    return [
        link
        for link in _links(old)
        if not _has(new.get(link.table.key), link.key, renderer)
        if referent_key(link.key) in apart or link.place in circle or _loses(old, new, link)
    ]


def late_links(
    old: Mapping[str, TableShape],
    new: Mapping[str, TableShape],
    renderer: Renderer,
    apart: Collection[str],
) -> list[Link]:
    """Return the foreign keys that can only be made last: the same, looked at backwards."""
    return early_links(new, old, renderer, apart)


def link_dropped(link: Link) -> Change:
    """Return the change that drops a foreign key by itself."""
    made = link_made(link)
    name = link.table.name.removeprefix(f"{link.table.owner}_")
    return Change(upgrade=made.downgrade, downgrade=made.upgrade, title=f"unlink_{name}")


def link_made(link: Link) -> Change:
    """Return the change that makes a foreign key by itself."""
    name, schema = link.table.name, link.table.schema
    drop = ops.DropConstraintOp(item_name(link.key), name, type_="foreignkey", schema=schema)
    short = name.removeprefix(f"{link.table.owner}_")
    return Change(
        upgrade=(ops.ModifyTableOps(name, [link.key], schema=schema),),
        downgrade=(ops.ModifyTableOps(name, [drop], schema=schema),),
        title=f"link_{short}",
    )


def without_links(shape: TableShape, links: Collection[Link]) -> TableShape:
    """Return a table without some of its foreign keys."""
    places = {link.place for link in links}
    kept = {name: item for name, item in shape.items.items() if (shape.key, name) not in places}
    return replace(shape, items=kept)


def _links(shapes: Mapping[str, TableShape]) -> Iterator[Link]:
    for shape in shapes.values():
        for key in shape.foreign_keys:
            yield Link(table=shape, key=key)


def _has(shape: TableShape | None, key: ops.CreateForeignKeyOp, renderer: Renderer) -> bool:
    other = shape.items.get(item_name(key)) if shape is not None else None
    return other is not None and renderer.text(other) == renderer.text(key)


def _loses(old: Mapping[str, TableShape], new: Mapping[str, TableShape], link: Link) -> bool:
    """Return whether a table that stays loses what a foreign key refers to."""
    target = referent_key(link.key)
    if target == link.table.key or target not in old or target not in new:
        return False
    before, after, columns = old[target], new[target], tuple(link.key.remote_cols)
    if not set(columns) <= set(after.columns):
        return True
    return _unique(before, columns) and not _unique(after, columns)


def _unique(shape: TableShape, columns: tuple[str, ...]) -> bool:
    if set(shape.primary_key) == set(columns):
        return True
    return any(is_unique(item, columns) for item in shape.items.values())


def _in_circles(dropped: Mapping[str, TableShape]) -> set[tuple[str, str]]:
    """Return the foreign keys between tables of which none can be dropped first."""
    waiting = dict(dropped)
    while True:
        referred = {
            target
            for shape in waiting.values()
            for target in map(referent_key, shape.foreign_keys)
            if target != shape.key
        }
        free = [key for key in waiting if key not in referred]
        if not free:
            break
        for key in free:
            del waiting[key]
    return {
        link.place
        for link in _links(waiting)
        if referent_key(link.key) in waiting and referent_key(link.key) != link.table.key
    }
