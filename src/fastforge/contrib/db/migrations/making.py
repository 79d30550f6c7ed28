"""Making: what the making of all apps' files shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Table

from ....exceptions import ErrorGroup, ForgeError, Location
from .fills import Fill
from .questions import Ask
from .rendering import Renderer
from .schema import Schema
from .shapes import TableShape

__all__ = ["AppTables", "Making", "refuse"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What the making of all files shares.

    Args:
        schema: The replayed schema; a rename that is confirmed is made in it.
        models: The tables of the apps that get files, by label and key.
        others: The tables of further apps, likewise.
        ask: Answers whether something was renamed.
        fill: Answers what rows get in a column that nothing else fills.
        renderer: Decides which parts are equal.
    """

    schema: Schema
    models: Mapping[str, Mapping[str, TableShape]]
    others: Mapping[str, Mapping[str, TableShape]]
    ask: Ask
    fill: Fill
    renderer: Renderer

    def beside(self, label: str) -> list[TableShape]:
        """Return the tables of other apps: as their models are, or as their files left them."""
        found = [shape for shape in self.schema if shape.owner not in (label, *self.models)]
        for owner, shapes in self.models.items():
            found.extend(shapes.values() if owner != label else ())
        return found

    def gone(self, label: str) -> dict[str, TableShape]:
        """Return the replayed tables that other apps' models do not have any more."""
        known = {**self.others, **self.models}
        return {
            shape.key: shape
            for shape in self.schema
            if shape.owner != label and shape.owner in known
            if shape.key not in known[shape.owner]
        }


def refuse(errors: Iterable[ForgeError]) -> None:
    """Raise the errors that were found, all at once.

    Raises:
        ErrorGroup: There are some.
    """
    found = tuple(errors)
    if found:
        raise ErrorGroup(found)
