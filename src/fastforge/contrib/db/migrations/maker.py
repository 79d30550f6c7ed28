"""Maker: works out the migrations that the models need and the files do not have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from alembic.operations import ops
from sqlalchemy import Table

from ....exceptions import ErrorGroup, ForgeError, Location
from .changes import Change, compare, shapes_of
from .errors import ChangeRefused, MigrationError
from .files import AppFolder
from .history import History
from .questions import Ask, Suspicion, suspicions
from .refusals import rename_refused, table_refusals
from .rendering import Renderer
from .replay import replay, replayed
from .schema import Schema
from .shapes import TableShape, referent_key
from .writer import NewMigration

__all__ = ["AppTables", "empty_migration", "missing_migrations"]

LONGEST_NAME: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTables:
    """The tables of an app's models.

    Args:
        label: The app's label.
        tables: Its tables, in any order.
        locations: Where the models stand, by the key of their table; for the errors.
    """

    label: str
    tables: tuple[Table, ...]
    locations: Mapping[str, Location] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    app: AppTables
    folder: AppFolder
    changes: tuple[Change, ...]
    name: str
    previous: str | None

    @property
    def id(self) -> str:
        return f"{self.app.label}.{self.name}"


def missing_migrations(
    history: History,
    apps: Sequence[tuple[AppFolder, AppTables]],
    *,
    naming: Mapping[str, Any],
    ask: Ask,
    name: str = "",
) -> tuple[NewMigration, ...]:
    """Return the migrations that lead from the files to the models, at most one for an app.

    Args:
        history: The files.
        apps: The apps to look at; tables of others are neither compared nor dropped.
        naming: The naming convention of the models.
        ask: Answers whether something was renamed.
        name: The name for the files, in place of one made from the changes.

    Raises:
        ErrorGroup: The changes that need a decision first.
        MigrationFileError: A file cannot be replayed.
    """
    _check_name(name)
    renderer = Renderer()
    schema = replay(history, naming=naming)
    drafts: list[_Draft] = []
    errors: list[ForgeError] = []
    for folder, app in apps:
        try:
            changes = _changes(app, schema, ask, naming, renderer)
        except ErrorGroup as group:
            errors.extend(group.errors)
            continue
        if changes:
            drafts.append(_draft(folder, app, changes, history, name))
    if errors:
        raise ErrorGroup(errors)
    return _finished(drafts, history, schema)


def empty_migration(history: History, folder: AppFolder, *, name: str = "") -> NewMigration:
    """Return a migration without operations, to be filled in by hand."""
    _check_name(name)
    previous = history.head(folder.label)
    file_name = f"{_next_number(history, folder.label):04}_{name or 'by_hand'}"
    return NewMigration(
        label=folder.label,
        name=file_name,
        path=folder.path / f"{file_name}.py",
        previous=previous.id if previous else None,
        depends_on=(),
        changes=(),
    )


def _changes(
    app: AppTables, schema: Schema, ask: Ask, naming: Mapping[str, Any], renderer: Renderer
) -> tuple[Change, ...]:
    new = shapes_of(app.tables, owner=app.label)
    _check_owners(app, new, schema)
    renames = _renames(app, new, schema, ask, naming, renderer)
    old = schema.owned_by(app.label)
    refused = tuple(table_refusals(old, new, app.locations))
    if refused:
        raise ErrorGroup(refused)
    return (*renames, *compare(old, app.tables, owner=app.label, renderer=renderer))


def _renames(
    app: AppTables,
    new: Mapping[str, TableShape],
    schema: Schema,
    ask: Ask,
    naming: Mapping[str, Any],
    renderer: Renderer,
) -> list[Change]:
    """Ask about what may be a rename, and rename in the replayed schema what is one."""
    found: list[Change] = []
    denied: set[str] = set()
    refused: list[ChangeRefused] = []
    while True:
        open_questions = [
            suspicion
            for suspicion in suspicions(schema.owned_by(app.label), new, renderer)
            if suspicion.question not in denied
        ]
        if not open_questions:
            break
        suspicion = open_questions[0]
        answer = ask(suspicion)
        if answer:
            found.append(_renaming(suspicion))
            replayed(found[-1].upgrade, schema, label=app.label, migration_id="", naming=naming)
            continue
        denied.add(suspicion.question)
        if answer is None:
            refused.append(rename_refused(suspicion, _place(suspicion, app)))
    if refused:
        raise ErrorGroup(refused)
    return found


def _renaming(suspicion: Suspicion) -> Change:
    return Change(
        upgrade=(suspicion.answer,),
        downgrade=(suspicion.reverse,),
        title=f"rename_{suspicion.column or suspicion.table.name}",
    )


def _place(suspicion: Suspicion, app: AppTables) -> Location | None:
    return app.locations.get(suspicion.table.key) or app.locations.get(suspicion.new_name)


def _check_owners(app: AppTables, new: Mapping[str, TableShape], schema: Schema) -> None:
    errors = [
        MigrationError(
            f"the table {key} belongs to a model of {app.label!r}, but the migrations of"
            f" {schema[key].owner!r} made it",
            code="db.E113",
            hint="give the model another __tablename__, or move it back",
            where=app.locations.get(key),
        )
        for key in new
        if key in schema and schema[key].owner != app.label
    ]
    if errors:
        raise ErrorGroup(errors)


def _draft(
    folder: AppFolder, app: AppTables, changes: tuple[Change, ...], history: History, name: str
) -> _Draft:
    previous = history.head(app.label)
    given = name or ("initial" if previous is None else _name_of(changes))
    return _Draft(
        app=app,
        folder=folder,
        changes=changes,
        name=f"{_next_number(history, app.label):04}_{given}",
        previous=previous.id if previous else None,
    )


def _finished(
    drafts: Sequence[_Draft], history: History, schema: Schema
) -> tuple[NewMigration, ...]:
    made = {
        key: draft.id
        for draft in drafts
        for key in shapes_of(draft.app.tables, owner=draft.app.label)
        if key not in schema
    }
    depends = {draft.id: _dependencies(draft, made, drafts, history, schema) for draft in drafts}
    _check_mutual(depends)
    return tuple(
        NewMigration(
            label=draft.app.label,
            name=draft.name,
            path=draft.folder.path / f"{draft.name}.py",
            previous=draft.previous,
            depends_on=depends[draft.id],
            changes=draft.changes,
        )
        for draft in drafts
    )


def _dependencies(
    draft: _Draft,
    made: Mapping[str, str],
    drafts: Sequence[_Draft],
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
    own = f"{draft.app.label}."
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


def _must_let_go(draft: _Draft, drafts: Sequence[_Draft], schema: Schema) -> set[str]:
    """Return the new migrations that take away foreign keys to the tables dropped here."""
    dropped = {
        operation.table_name
        for change in draft.changes
        for operation in change.upgrade
        if isinstance(operation, ops.DropTableOp)
    }
    holders = {
        shape.owner
        for shape in schema
        for key in shape.foreign_keys
        if key.referent_table in dropped and shape.owner != draft.app.label
    }
    return {other.id for other in drafts if other.app.label in holders}


def _unmade(draft: _Draft, target: str) -> MigrationError:
    return MigrationError(
        f"a foreign key of {draft.app.label!r} refers to {target}, which no migration makes",
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


def _next_number(history: History, label: str) -> int:
    return max((migration.number for migration in history.of(label)), default=0) + 1


def _name_of(changes: Sequence[Change]) -> str:
    titles = list(dict.fromkeys(re.sub(r"\W+", "_", change.title).lower() for change in changes))
    name = "_and_".join(titles)
    if len(name) <= LONGEST_NAME:
        return name
    return f"{titles[0][:LONGEST_NAME]}_and_more"


def _check_name(name: str) -> None:
    if name and not re.fullmatch(r"[a-z0-9_]+", name):
        raise MigrationError(
            f"the name {name!r} does not fit into a file's name",
            code="db.E119",
            hint="use lower-case letters, digits and underscores",
        )
