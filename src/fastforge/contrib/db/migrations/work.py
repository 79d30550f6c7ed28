"""Work: what one app needs, from the questions to the drafts of its files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ....exceptions import ForgeError
from .change import Change
from .changes import Comparison, compare
from .dependencies import Draft
from .fills import unfilled
from .folders import AppFolder
from .history import History
from .making import AppTables, Making, refuse
from .refusals import enum_refusals, table_refusals, unfilled_refused
from .renames import Renames
from .rendering import Renderer
from .shapes import TableShape

__all__ = ["Work", "next_number"]

LONGEST_NAME: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The changes of one app.

    Args:
        app: Its tables.
        folder: Where its files stand.
        renames: What was confirmed to be a rename, in order.
        took_over: The ids of the last migrations of apps whose tables it renamed.
        comparison: The rest.
        base: The id of its last migration.
        number: The number of its next one.
        given: The name for its file, in place of one made from the changes.
        tables: The keys of its tables, those that go as well.
    """

    app: AppTables
    folder: AppFolder
    renames: tuple[Change, ...]
    took_over: frozenset[str]
    comparison: Comparison
    base: str | None
    number: int
    given: str
    tables: frozenset[str]

    @classmethod
    def of(
        cls,
        app: AppTables,
        folder: AppFolder,
        *,
        history: History,
        making: Making,
        renames: Renames,
        name: str,
    ) -> Work:
        """Ask what rows get, and refuse what cannot be written.

        Raises:
            ErrorGroup: The changes that need a decision first.
        """
        new = making.models[app.label]
        old = making.schema.owned_by(app.label)
        refuse(table_refusals(old, new, app.locations, making.renderer))
        others = making.beside(app.label)
        refuse(enum_refusals(new, others, app.locations))
        heads = [history.head(owner) for owner in renames.owners]
        head = history.head(app.label)
        return cls(
            app=app,
            folder=folder,
            renames=renames.changes,
            took_over=frozenset(each.id for each in heads if each is not None),
            comparison=Comparison(
                owner=app.label,
                old=old,
                sequences=making.schema.sequences_of(app.label),
                tables=app.tables,
                others=others,
                others_before=[shape for shape in making.schema if shape.owner != app.label],
                values=_values(app, old, new, making),
            ),
            base=head.id if head else None,
            number=next_number(history, app.label),
            given=name,
            tables=frozenset([*old, *new]),
        )

    def drafts(self, renderer: Renderer, apart: Collection[str]) -> Iterator[Draft]:
        """Yield the app's files: one, or none; more where foreign keys have to stand apart."""
        stages = compare(self.comparison, renderer, apart=apart)
        main = (*self.renames, *(stages.main if apart else stages.all))
        parts = [main]
        if apart:
            parts = [stages.early, main, stages.late]
        previous, number = self.base, self.number
        for changes in filter(None, parts):
            draft = Draft(
                folder=self.folder,
                changes=changes,
                name=f"{number:04}_{self._name(changes, is_main=changes is main)}",
                previous=previous,
                base=self.base,
                after=self.took_over,
            )
            yield draft
            previous, number = draft.id, number + 1

    def _name(self, changes: Sequence[Change], *, is_main: bool) -> str:
        if is_main and self.given:
            return self.given
        return "initial" if is_main and self.base is None else _name_of(changes)


def next_number(history: History, label: str) -> int:
    """Return the number of an app's next migration."""
    return max((migration.number for migration in history.of(label)), default=0) + 1


def _values(
    app: AppTables, old: Mapping[str, TableShape], new: Mapping[str, TableShape], making: Making
) -> dict[str, dict[str, str]]:
    """Ask what rows get in columns that become NOT NULL, or are not computed any more."""
    values: dict[str, dict[str, str]] = {}
    refused: list[ForgeError] = []
    for key in (key for key in new if key in old):
        for column in unfilled(old[key], new[key], making.renderer):
            answer = making.fill(column)
            if answer is None or (column.needs_value and not answer):
                refused.append(unfilled_refused(column, app.locations.get(key)))
            else:
                values.setdefault(key, {})[column.column.name] = answer
    refuse(refused)
    return values


def _name_of(changes: Sequence[Change]) -> str:
    words = (re.sub(r"\W+", "_", change.title).lower() for change in changes if change.title)
    titles = list(dict.fromkeys(words)) or ["change_types"]
    name = "_and_".join(titles)
    if len(name) <= LONGEST_NAME:
        return name
    return f"{titles[0][:LONGEST_NAME]}_and_more"
