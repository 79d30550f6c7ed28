"""Merging: one migration after two that branches of the code added beside each other.

It joins them and changes nothing. Renumbering one of them would need to know that no database
has it: the ledger has one row a migration, under the name of its file, so that a renamed file is
one that never ran, and would run again. A joined pair is right wherever either has run already,
and no database has to be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from ....exceptions import Location
from .errors import MigrationError, MigrationFileError
from .folders import AppFolder
from .history import History
from .migration import Migration
from .rendering import Renderer
from .replay import replay
from .schema import Schema
from .work import next_number
from .writer import NewMigration

__all__ = ["merging_migrations"]

LONGEST_NAME: Final = 60


def merging_migrations(
    history: History, folders: Iterable[AppFolder], *, name: str = ""
) -> tuple[NewMigration, ...]:
    """Return the migrations that join the last ones of apps that have several.

    Args:
        history: The files.
        folders: The apps to look at.
        name: The name for the files, in place of one made from those joined.

    Raises:
        MigrationError: The outcome depends on which of them runs first.
    """
    forked = [folder for folder in folders if len(history.heads(folder.label)) > 1]
    return tuple(_merged(history, folder, name) for folder in forked)


def _merged(history: History, folder: AppFolder, name: str) -> NewMigration:
    heads = history.heads(folder.label)
    _check_order(history, heads)
    file_name = f"{next_number(history, folder.label):04}_{name or _name_of(heads)}"
    return NewMigration(
        label=folder.label,
        name=file_name,
        path=folder.path / f"{file_name}.py",
        previous=tuple(head.id for head in heads),
        depends_on=(),
        changes=(),
    )


def _name_of(heads: Sequence[Migration]) -> str:
    full = "merge_" + "_and_".join(head.name.partition("_")[2] for head in heads)
    return full if len(full) <= LONGEST_NAME else "merge"


def _check_order(history: History, heads: Sequence[Migration]) -> None:
    """Refuse branches that make another schema when another one runs first."""
    renderer = Renderer()
    first: dict[str, Any] | None = None
    for head in heads:
        before = history.ancestors([head.id])
        order = [item for item in history if item.id in before]
        order += [item for item in history if item.id not in before]
        try:
            schema = _described(replay(order), renderer)
        except MigrationFileError as error:
            raise _do_not_fit(heads, error.message) from error
        first = first or schema
        for key in {**first, **schema}:
            if first.get(key) != schema.get(key):
                reason = f"the table {key} depends on which of them runs first"
                raise _do_not_fit(heads, reason)


def _described(schema: Schema, renderer: Renderer) -> dict[str, Any]:
    return {
        shape.key: (
            {
                name: (
                    renderer.type(column.type),
                    column.nullable,
                    renderer.default(column.server_default),
                    column.comment,
                )
                for name, column in shape.columns.items()
            },
            shape.primary_key,
            {name: renderer.text(item) for name, item in shape.items.items()},
            shape.comment,
        )
        for shape in schema
    }


def _do_not_fit(heads: Sequence[Migration], reason: str) -> MigrationError:
    names = " and ".join(head.path.name for head in heads)
    return MigrationError(
        f"{names} of {heads[0].label!r} cannot be joined: {reason}",
        code="db.E140",
        hint=f'let one follow the other: down_revision = "{heads[0].id}" in the file that no'
        " database has yet, and change what it does",
        where=Location(str(heads[-1].path), 1),
    )
