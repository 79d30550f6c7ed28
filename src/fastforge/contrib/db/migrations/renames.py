"""Renames: what the user says was renamed, in the replayed schema and as changes."""

from __future__ import annotations

from dataclasses import dataclass

from ....exceptions import ForgeError, Location
from .change import Change
from .making import AppTables, Making, refuse
from .questions import Suspicion, suspicions
from .refusals import owner_refusals, rename_refused
from .replay import replayed

__all__ = ["Renames", "renamed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Renames:
    """The renames of an app.

    Args:
        changes: What makes them, in order.
        owners: The labels of other apps whose tables it took over.
    """

    changes: tuple[Change, ...]
    owners: frozenset[str]


def renamed(app: AppTables, making: Making) -> Renames:
    """Ask about what may be a rename, and rename in the replayed schema what is one.

    To be done for all apps before any is compared: a table may have moved from one to another.

    Raises:
        ErrorGroup: Nobody is there to answer, or a table belongs to another app.
    """
    new = making.models[app.label]
    refuse(owner_refusals(app.label, new, making.schema, app.locations))
    found: list[Change] = []
    owners: set[str] = set()
    denied: set[str] = set()
    refused: list[ForgeError] = []
    while True:
        old = {**making.gone(app.label), **making.schema.owned_by(app.label)}
        waiting = suspicions(old, new, making.renderer)
        suspicion = next((item for item in waiting if item.question not in denied), None)
        if suspicion is None:
            break
        answer = making.ask(suspicion)
        if answer and not suspicion.moves:
            found.append(_renaming(suspicion))
            owners.add(suspicion.table.owner)
            replayed(found[-1].upgrade, making.schema, label=app.label)
            continue
        denied.add(suspicion.question)
        if answer is not False:
            refused.append(rename_refused(suspicion, _place(suspicion, app)))
    refuse(refused)
    return Renames(changes=tuple(found), owners=frozenset(owners - {app.label}))


def _renaming(suspicion: Suspicion) -> Change:
    return Change(
        upgrade=(suspicion.answer, *suspicion.key_renamed),
        downgrade=(*suspicion.key_renamed_back, suspicion.reverse),
        title=f"rename_{suspicion.column or suspicion.table.name}",
    )


def _place(suspicion: Suspicion, app: AppTables) -> Location | None:
    return app.locations.get(suspicion.table.key) or app.locations.get(suspicion.new_key)
