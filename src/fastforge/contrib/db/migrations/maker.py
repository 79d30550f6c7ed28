"""Maker: works out the migrations that the models need and the files do not have."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from ....exceptions import ErrorGroup, ForgeError
from .changes import shapes_of
from .dependencies import circle_of, dependencies
from .errors import MigrationError
from .fills import Fill, nobody_fills
from .folders import AppFolder
from .history import History
from .making import AppTables, Making, refuse
from .questions import Ask
from .renames import renamed
from .rendering import Renderer
from .replay import replay
from .work import Work, next_number
from .writer import NewMigration

__all__ = ["AppTables", "empty_migration", "missing_migrations"]

T = TypeVar("T")


def missing_migrations(
    history: History,
    apps: Sequence[tuple[AppFolder, AppTables]],
    *,
    ask: Ask,
    fill: Fill = nobody_fills,
    name: str = "",
    others: Sequence[AppTables] = (),
) -> tuple[NewMigration, ...]:
    """Return the migrations that lead from the files to the models.

    One for an app; up to three for each of two apps whose foreign keys need each other.

    Args:
        history: The files.
        apps: The apps to look at; tables of others are neither compared nor dropped.
        ask: Answers whether something was renamed.
        fill: Answers what rows get in a column that nothing else fills.
        name: The name for the files, in place of one made from the changes.
        others: The tables of further apps: one that went there may have come here.

    Raises:
        ErrorGroup: The changes that need a decision first.
        MigrationFileError: A file cannot be replayed.
    """
    _check_name(name)
    making = Making(
        schema=replay(history),
        models={app.label: shapes_of(app.tables, owner=app.label) for _, app in apps},
        others={app.label: shapes_of(app.tables, owner=app.label) for app in others},
        ask=ask,
        fill=fill,
        renderer=Renderer(),
    )
    renames = _for_each(apps, lambda _, app: renamed(app, making))
    works = _for_each(
        apps,
        lambda folder, app: Work.of(
            app,
            folder,
            history=history,
            making=making,
            renames=renames[app.label],
            name=name,
        ),
    )
    return _finished(tuple(works.values()), history, making)


def empty_migration(history: History, folder: AppFolder, *, name: str = "") -> NewMigration:
    """Return a migration without operations, to be filled in by hand."""
    _check_name(name)
    previous = history.head(folder.label)
    file_name = f"{next_number(history, folder.label):04}_{name or 'by_hand'}"
    return NewMigration(
        label=folder.label,
        name=file_name,
        path=folder.path / f"{file_name}.py",
        previous=previous.id if previous else None,
        depends_on=(),
        changes=(),
    )


def _for_each(
    apps: Sequence[tuple[AppFolder, AppTables]], do: Callable[[AppFolder, AppTables], T]
) -> dict[str, T]:
    """Do something for each app, and tell all errors at once."""
    found: dict[str, T] = {}
    errors: list[ForgeError] = []
    for folder, app in apps:
        try:
            found[app.label] = do(folder, app)
        except ErrorGroup as group:
            errors.extend(group.errors)
    refuse(errors)
    return found


def _finished(works: Sequence[Work], history: History, making: Making) -> tuple[NewMigration, ...]:
    apart: dict[str, frozenset[str]] = {}
    while True:
        drafts = [
            draft
            for work in works
            for draft in work.drafts(making.renderer, apart.get(work.app.label, frozenset()))
        ]
        depends = dependencies(drafts, history, making.schema)
        circle = circle_of(drafts, depends)
        if not circle:
            break
        _part(circle, works, apart)
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


def _part(circle: Sequence[str], works: Sequence[Work], apart: dict[str, frozenset[str]]) -> None:
    """Give the first app of a circle files of their own for its foreign keys to the others."""
    labels = {item.partition(".")[0] for item in circle}
    for work in works:
        if work.app.label in labels and work.app.label not in apart:
            tables = [each.tables for each in works if each.app.label in labels - {work.app.label}]
            apart[work.app.label] = frozenset().union(*tables)
            return
    raise MigrationError(
        f"the foreign keys of these migrations need each other: {' -> '.join(circle)}",
        code="db.E114",
        hint="leave one foreign key out, make the migrations, then add it",
    )


def _check_name(name: str) -> None:
    if name and not re.fullmatch(r"[a-z0-9_]+", name):
        raise MigrationError(
            f"the name {name!r} does not fit into a file's name",
            code="db.E119",
            hint="use lower-case letters, digits and underscores",
        )
