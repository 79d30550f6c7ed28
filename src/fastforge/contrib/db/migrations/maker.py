"""Maker: works out the migrations that the models need and the files do not have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Table

from ....exceptions import ErrorGroup, ForgeError, Location
from .change import Change
from .changes import compare, shapes_of
from .dependencies import Draft, dependencies
from .errors import MigrationError
from .folders import AppFolder
from .history import History
from .questions import Ask, Suspicion, suspicions
from .refusals import enum_refusals, owner_refusals, rename_refused, table_refusals
from .rendering import Renderer
from .replay import replay, replayed
from .schema import Schema
from .shapes import TableShape
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


def missing_migrations(
    history: History,
    apps: Sequence[tuple[AppFolder, AppTables]],
    *,
    ask: Ask,
    name: str = "",
) -> tuple[NewMigration, ...]:
    """Return the migrations that lead from the files to the models, at most one for an app.

    Args:
        history: The files.
        apps: The apps to look at; tables of others are neither compared nor dropped.
        ask: Answers whether something was renamed.
        name: The name for the files, in place of one made from the changes.

    Raises:
        ErrorGroup: The changes that need a decision first.
        MigrationFileError: A file cannot be replayed.
    """
    _check_name(name)
    making = _Making(
        schema=replay(history),
        models={app.label: shapes_of(app.tables, owner=app.label) for _, app in apps},
        ask=ask,
        renderer=Renderer(),
    )
    drafts: list[Draft] = []
    errors: list[ForgeError] = []
    for folder, app in apps:
        try:
            changes = _changes(app, making)
        except ErrorGroup as group:
            errors.extend(group.errors)
            continue
        if changes:
            drafts.append(_draft(folder, app, changes, history, name))
    if errors:
        raise ErrorGroup(errors)
    return _finished(drafts, history, making.schema)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    schema: Schema
    models: Mapping[str, Mapping[str, TableShape]]
    ask: Ask
    renderer: Renderer

    def others(self, label: str) -> list[TableShape]:
        """The tables of other apps: as their models are, or else as their files left them."""
        found = [shape for shape in self.schema if shape.owner not in (label, *self.models)]
        for owner, shapes in self.models.items():
            found.extend(shapes.values() if owner != label else ())
        return found


def _changes(app: AppTables, making: _Making) -> tuple[Change, ...]:
    new = making.models[app.label]
    others = making.others(app.label)
    _refuse(owner_refusals(app.label, new, making.schema, app.locations))
    renames = _renames(app, new, making)
    old = making.schema.owned_by(app.label)
    _refuse(table_refusals(old, new, app.locations))
    _refuse(enum_refusals(new, others, app.locations))
    found = compare(old, app.tables, owner=app.label, others=others, renderer=making.renderer)
    return (*renames, *found)


def _refuse(errors: Iterable[ForgeError]) -> None:
    found = tuple(errors)
    if found:
        raise ErrorGroup(found)


def _renames(app: AppTables, new: Mapping[str, TableShape], making: _Making) -> list[Change]:
    """Ask about what may be a rename, and rename in the replayed schema what is one."""
    found: list[Change] = []
    denied: set[str] = set()
    refused: list[ForgeError] = []
    while True:
        old = making.schema.owned_by(app.label)
        waiting = suspicions(old, new, making.renderer)
        suspicion = next((item for item in waiting if item.question not in denied), None)
        if suspicion is None:
            break
        answer = making.ask(suspicion)
        if answer:
            found.append(_renaming(suspicion))
            replayed(found[-1].upgrade, making.schema, label=app.label)
            continue
        denied.add(suspicion.question)
        if answer is None:
            refused.append(rename_refused(suspicion, _place(suspicion, app)))
    _refuse(refused)
    return found


def _renaming(suspicion: Suspicion) -> Change:
    return Change(
        upgrade=(suspicion.answer,),
        downgrade=(suspicion.reverse,),
        title=f"rename_{suspicion.column or suspicion.table.name}",
    )


def _place(suspicion: Suspicion, app: AppTables) -> Location | None:
    return app.locations.get(suspicion.table.key) or app.locations.get(suspicion.new_name)


def _draft(
    folder: AppFolder, app: AppTables, changes: tuple[Change, ...], history: History, name: str
) -> Draft:
    previous = history.head(app.label)
    given = name or ("initial" if previous is None else _name_of(changes))
    return Draft(
        tables=frozenset(shapes_of(app.tables, owner=app.label)),
        folder=folder,
        changes=changes,
        name=f"{_next_number(history, app.label):04}_{given}",
        previous=previous.id if previous else None,
    )


def _finished(
    drafts: Sequence[Draft], history: History, schema: Schema
) -> tuple[NewMigration, ...]:
    depends = dependencies(drafts, history, schema)
    return tuple(
        NewMigration(
            label=draft.label,
            name=draft.name,
            path=draft.folder.path / f"{draft.name}.py",
            previous=draft.previous,
            depends_on=depends[draft.id],
            changes=draft.changes,
        )
        for draft in drafts
    )


def _next_number(history: History, label: str) -> int:
    return max((migration.number for migration in history.of(label)), default=0) + 1


def _name_of(changes: Sequence[Change]) -> str:
    words = (re.sub(r"\W+", "_", change.title).lower() for change in changes if change.title)
    titles = list(dict.fromkeys(words)) or ["change_types"]
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
