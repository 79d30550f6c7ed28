"""Dependencies: which migrations of other apps have to come before a new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from alembic.operations import ops

from .change import Change
from .errors import MigrationError
from .folders import AppFolder
from .history import History
from .schema import Schema
from .shapes import TableShape, referent_key, table_key

__all__ = ["Draft", "dependencies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A new migration before its dependencies are known.

    Args:
        folder: Where it will stand.
        tables: The keys of all tables of the app's models.
        changes: What it does.
        name: The file's name without `.py`.
        previous: The id of the app's migration before it.
    """

    folder: AppFolder
    tables: frozenset[str]
    changes: tuple[Change, ...]
    name: str
    previous: str | None

    @property
    def label(self) -> str:
        """The label of its app."""
        return self.folder.label

    @property
    def id(self) -> str:
        """The name under which the database will remember it."""
        return f"{self.label}.{self.name}"


def dependencies(
    drafts: Sequence[Draft], history: History, schema: Schema
) -> dict[str, tuple[str, ...]]:
    """Return the ids that each draft has to wait for, by the draft's id.

    A foreign key waits for the migration that makes the column it refers to; dropping a table
    waits for those that take away the foreign keys to it.

    Raises:
        MigrationError: A foreign key refers to a table that no migration makes, or the drafts
            need each other.
    """
    made = {key: draft.id for draft in drafts for key in draft.tables if key not in schema}
    found = {draft.id: _dependencies(draft, made, drafts, history, schema) for draft in drafts}
    _check_mutual(found)
    return found


def _dependencies(
    draft: Draft,
    made: Mapping[str, str],
    drafts: Sequence[Draft],
    history: History,
    schema: Schema,
) -> tuple[str, ...]:
    found: set[str] = set()
    for key in _foreign_keys(draft.changes):
        target = referent_key(key)
        if target in made:
            found.add(made[target])
        elif target in schema:
            origins = schema[target].origins
            found.update(filter(None, (origins.get(name) for name in key.remote_cols)))
        else:
            raise _unmade(draft, target)
    found |= _must_let_go(draft, drafts, schema)
    known = history.ancestors([draft.previous]) if draft.previous else set()
    own = f"{draft.label}."
    return tuple(sorted(item for item in found - known if not item.startswith(own)))


def _foreign_keys(changes: Sequence[Change]) -> Iterator[ops.CreateForeignKeyOp]:
    for change in changes:
        for operation in change.upgrade:
            if isinstance(operation, ops.CreateTableOp):
                shape = TableShape.of(operation.to_table(), owner="")
                yield from shape.foreign_keys
            elif isinstance(operation, ops.ModifyTableOps):
                for inner in operation.ops:
                    if isinstance(inner, ops.CreateForeignKeyOp):
                        yield inner


def _must_let_go(draft: Draft, drafts: Sequence[Draft], schema: Schema) -> set[str]:
    """Return the new migrations that take away foreign keys to the tables dropped here."""
    dropped = {
        table_key(operation.table_name, operation.schema)
        for change in draft.changes
        for operation in change.upgrade
        if isinstance(operation, ops.DropTableOp)
    }
    holders = {
        shape.owner
        for shape in schema
        for key in shape.foreign_keys
        if referent_key(key) in dropped and shape.owner != draft.label
    }
    return {other.id for other in drafts if other.label in holders}


def _unmade(draft: Draft, target: str) -> MigrationError:
    return MigrationError(
        f"a foreign key of {draft.label!r} refers to {target}, which no migration makes",
        code="db.E116",
        hint="make the migrations of its app first, or of all apps at once",
    )


def _check_mutual(depends: Mapping[str, Sequence[str]]) -> None:
    try:
        TopologicalSorter(depends).prepare()
    except CycleError as error:
        raise MigrationError(
            f"the foreign keys of these migrations need each other: {' -> '.join(error.args[1])}",
            code="db.E114",
            hint="leave one foreign key out, make the migrations, then add it",
        ) from error
