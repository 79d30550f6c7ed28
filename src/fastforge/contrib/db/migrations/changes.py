"""Changes: what has to be done to make the replayed tables of an app like its models."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Sequence as DatabaseSequence
from sqlalchemy import Table

from .change import Change
from .enums import creation_of, enum_types, removal_of
from .links import early_links, late_links, link_dropped, link_made, without_links
from .named_types import quoted
from .raw import on_postgresql_only
from .rendering import Renderer
from .sequences import sequences_dropped, sequences_made, sequences_of
from .shapes import TableShape
from .tables import table_altered, table_dropped, table_made, tables_in_order

__all__ = ["Comparison", "Stages", "compare", "shapes_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What an app's tables are and what they should be.

    Args:
        owner: The app's label.
        old: The replayed tables that belong to the app, by key.
        tables: The tables of its models.
        sequences: The replayed sequences that belong to the app, by key.
        others: The tables of other apps, which may share enum types with these.
        others_before: The same as their files left them.
        values: SQL for what rows get in a column that becomes NOT NULL or is not computed any
            more, by the table's key and the column's name.
    """

    owner: str
    old: Mapping[str, TableShape]
    tables: Sequence[Table]
    sequences: Mapping[str, DatabaseSequence]
    others: Sequence[TableShape]
    others_before: Sequence[TableShape]
    values: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The changes of an app in the order in which they have to run.

    Args:
        early: Drops foreign keys to what goes.
        main: All the rest.
        late: Makes foreign keys to what came.
    """

    early: tuple[Change, ...]
    main: tuple[Change, ...]
    late: tuple[Change, ...]

    @property
    def all(self) -> tuple[Change, ...]:
        """All changes, for one file."""
        return (*self.early, *self.main, *self.late)


def shapes_of(tables: Iterable[Table], *, owner: str) -> dict[str, TableShape]:
    """Return the shapes of an app's models, by key."""
    shapes = (TableShape.of(table, owner=owner) for table in tables)
    return {shape.key: shape for shape in shapes}


def compare(comparison: Comparison, renderer: Renderer, *, apart: Collection[str] = ()) -> Stages:
    """Return the changes that lead from the replayed tables of an app to its models.

    Args:
        comparison: The app's tables.
        renderer: Decides which parts are equal.
        apart: The keys of other apps' tables to which foreign keys come late and go early.
    """
    old, others = comparison.old, comparison.others
    new = shapes_of(comparison.tables, owner=comparison.owner)
    early = early_links(old, new, renderer, apart)
    late = late_links(old, new, renderer, apart)
    before = {key: without_links(shape, early) for key, shape in old.items()}
    after = {key: without_links(shape, late) for key, shape in new.items()}
    made = tables_in_order(shape for key, shape in after.items() if key not in old)
    dropped = tables_in_order(shape for key, shape in before.items() if key not in new)
    kept = (
        table_altered(before[key], after[key], renderer, comparison.values.get(key, {}))
        for key in new
        if key in old
    )
    sequences = sequences_of(comparison.tables)
    main = (
        *_schemas_made(made, [*old.values(), *others]),
        *sequences_made(comparison.sequences, sequences),
        *_types_made([*old.values(), *others], new.values(), renderer),
        *map(table_made, made),
        *(change for changes in kept for change in changes),
        *(table_dropped(shape) for shape in reversed(dropped)),
        *sequences_dropped(comparison.sequences, sequences),
        *_types_dropped(
            old.values(), [*new.values(), *others, *comparison.others_before], renderer
        ),
    )
    return Stages(
        early=tuple(map(link_dropped, early)), main=main, late=tuple(map(link_made, late))
    )


def _schemas_made(made: Iterable[TableShape], before: Iterable[TableShape]) -> Iterator[Change]:
    """Yield what makes a schema for its first table; it stays, others may use it."""
    known = {shape.schema for shape in before} | {None}
    for schema in dict.fromkeys(shape.schema for shape in made):
        if schema is not None and schema not in known:
            create = on_postgresql_only(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            yield Change(upgrade=(create,), downgrade=(), title="")


def _types_made(
    before: Iterable[TableShape], after: Iterable[TableShape], renderer: Renderer
) -> Iterator[Change]:
    """What uses a new enum type makes it; taking everything back drops it in the end."""
    known = enum_types(before)
    made = [enum for key, enum in enum_types(after).items() if key not in known]
    if made:
        drops = tuple(removal_of(enum, renderer) for enum in made)
        yield Change(upgrade=(), downgrade=drops, title="")


def _types_dropped(
    before: Iterable[TableShape], after: Iterable[TableShape], renderer: Renderer
) -> Iterator[Change]:
    # What another app uses still, though its own next migration may end that, stays.
    used = enum_types(after)
    unused = [enum for key, enum in enum_types(before).items() if key not in used]
    if unused:
        yield Change(
            upgrade=tuple(removal_of(enum, renderer) for enum in unused),
            downgrade=tuple(creation_of(enum, renderer) for enum in unused),
            title="",
        )
