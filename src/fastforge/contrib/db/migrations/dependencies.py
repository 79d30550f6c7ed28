"""Dependencies: which migrations of other apps have to come before a new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from alembic.operations import ops

from .change import Change
from .errors import MigrationError
from .folders import AppFolder
from .history import History
from .items import item_columns, referent_key, table_key
from .schema import Schema
from .shapes import TableShape

__all__ = ["Draft", "circle_of", "dependencies"]

Place: TypeAlias = tuple[str, frozenset[str]]
"""A table's key and the columns to which a foreign key refers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A new migration before its dependencies are known.

    Args:
        folder: Where it will stand.
        changes: What it does.
        name: The file's name without `.py`.
        previous: The id of the app's migration before it.
        base: The id of the app's last migration that has a file.
        after: The ids of other apps' migrations whose tables it takes over.
    """

    folder: AppFolder
    changes: tuple[Change, ...]
    name: str
    previous: str | None
    base: str | None
    after: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """The label of its app."""
        return self.folder.label

    @property
    def id(self) -> str:
        """The name under which the database will remember it."""
        return f"{self.label}.{self.name}"

    @property
    def steps(self) -> Iterator[ops.MigrateOperation]:
        """The operations of its way forward, those of batches one by one."""
        for change in self.changes:
            for step in change.upgrade:
                yield from step.ops if isinstance(step, ops.OpContainer) else (step,)


def dependencies(
    drafts: Sequence[Draft], history: History, schema: Schema
) -> dict[str, tuple[str, ...]]:
    """Return the ids that each draft has to wait for, by the draft's id.

    A foreign key waits for the migration that makes what it refers to; taking that away waits
    for those that take away the foreign keys to it.

    Raises:
        MigrationError: A foreign key refers to a table that no migration makes.
    """
    given = [(draft, place) for draft in drafts for place in _given(draft)]
    released = _released(drafts, schema)
    found: dict[str, tuple[str, ...]] = {}
    for draft in drafts:
        ids = set(draft.after)
        for place in _wanted(draft):
            ids |= _makers(place, given, draft, schema)
        taken = tuple(_taken(draft, schema))
        ids |= {other.id for other, place in released if any(_meets(place, item) for item in taken)}
        known = history.ancestors([draft.base]) if draft.base else set()
        own = f"{draft.label}."
        found[draft.id] = tuple(sorted(item for item in ids - known if not item.startswith(own)))
    return found


def circle_of(drafts: Sequence[Draft], depends: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the ids of drafts that need each other; empty when there are none."""
    graph = {
        draft.id: [*depends[draft.id], *([draft.previous] if draft.previous else [])]
        for draft in drafts
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def _wanted(draft: Draft) -> Iterator[Place]:
    """Yield what the new foreign keys refer to."""
    for step in draft.steps:
        if isinstance(step, ops.CreateTableOp):
            keys: Iterable[Any] = TableShape.of(step.to_table(), owner="").foreign_keys
        else:
            keys = [step] if isinstance(step, ops.CreateForeignKeyOp) else []
        for key in keys:
            yield referent_key(key), frozenset(key.remote_cols)


def _given(draft: Draft) -> Iterator[Place]:
    """Yield what other apps may refer to from now on; no columns stand for a whole table."""
    for step in draft.steps:
        match step:
            case ops.CreateTableOp():
                yield table_key(step.table_name, step.schema), frozenset()
            case ops.RenameTableOp():
                yield table_key(step.new_table_name, step.schema), frozenset()
            case ops.AddColumnOp():
                yield _place(step, [step.column.name])
            case ops.AlterColumnOp() if step.modify_name is not None:
                yield _place(step, [step.modify_name])
            case ops.CreateUniqueConstraintOp():
                yield _place(step, item_columns(step))
            case ops.CreateIndexOp() if step.unique:
                yield _place(step, item_columns(step))


def _taken(draft: Draft, schema: Schema) -> Iterator[Place]:
    """Yield what nobody may refer to any more."""
    for step in draft.steps:
        match step:
            case ops.DropTableOp():
                yield table_key(step.table_name, step.schema), frozenset()
            case ops.DropColumnOp():
                yield _place(step, [step.column_name])
            case ops.DropConstraintOp() | ops.DropIndexOp() if step.table_name:
                key = table_key(step.table_name, step.schema)
                name = getattr(step, "constraint_name", None) or getattr(step, "index_name", "")
                item = schema[key].items.get(str(name)) if key in schema else None
                if item is not None and not isinstance(item, ops.CreateForeignKeyOp):
                    yield key, frozenset(item_columns(item))


def _released(drafts: Sequence[Draft], schema: Schema) -> list[tuple[Draft, Place]]:
    """Return the foreign keys that drafts take away, each with the first draft that does."""
    found: dict[tuple[str, str], tuple[Draft, Place]] = {}
    for draft in drafts:
        for step in draft.steps:
            if not isinstance(step, (ops.DropTableOp, ops.DropConstraintOp)):
                continue
            key = table_key(step.table_name, step.schema)
            items = schema[key].items if key in schema else {}
            for name, item in items.items():
                wanted = isinstance(step, ops.DropTableOp) or str(step.constraint_name) == name
                if wanted and isinstance(item, ops.CreateForeignKeyOp):
                    place = referent_key(item), frozenset(item.remote_cols)
                    found.setdefault((key, name), (draft, place))
    return list(found.values())


def _makers(
    place: Place, given: Sequence[tuple[Draft, Place]], draft: Draft, schema: Schema
) -> set[str]:
    target, columns = place
    found = {other.id for other, made in given if _meets(place, made)}
    if target in schema:
        return found | schema[target].origins_of(columns)
    if not found:
        raise MigrationError(
            f"a foreign key of {draft.label!r} refers to {target}, which no migration makes",
            code="db.E116",
            hint="make the migrations of its app first, or of all apps at once",
        )
    return found


def _meets(wanted: Place, made: Place) -> bool:
    return wanted[0] == made[0] and (not made[1] or bool(made[1] & wanted[1]))


def _place(step: Any, columns: Iterable[str]) -> Place:
    return table_key(step.table_name, step.schema), frozenset(columns)
