"""Plan: which migrations lead a database from where it is to where it should be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from ....exceptions import Location
from .errors import DatabaseAhead, MigrationError
from .history import History
from .migration import Migration

__all__ = [
    "EVERYTHING",
    "ZERO",
    "PlannedStep",
    "Target",
    "ahead",
    "plan",
    "refuse_ahead",
    "refuse_gaps",
]

ZERO: Final = "zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a database should be.

    Args:
        label: One app; empty for all.
        name: A migration of that app, `zero` for none of it; empty for its last one.
    """

    label: str = ""
    name: str = ""


EVERYTHING: Final = Target()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A migration and the direction in which it runs."""

    migration: Migration
    forward: bool

    def __str__(self) -> str:
        return f"{'apply' if self.forward else 'take back'} {self.migration.id}"


def plan(history: History, applied: Collection[str], target: Target) -> tuple[PlannedStep, ...]:
    """Return the steps, in order: first those that are taken back, then those applied.

    Raises:
        MigrationError: The target's app or migration is unknown.
        MigrationFileError: An app has two last migrations.
    """
    wanted, unwanted = _ends(history, target)
    back = [
        PlannedStep(migration=migration, forward=False)
        for migration in reversed(tuple(history))
        if migration.id in unwanted and migration.id in applied
    ]
    onward = [
        PlannedStep(migration=migration, forward=True)
        for migration in history
        if migration.id in wanted and migration.id not in applied
    ]
    return (*back, *onward)


def ahead(history: History, applied: Collection[str]) -> tuple[str, ...]:
    """Return the ids that a database has of installed apps and that no file has."""
    return tuple(
        migration_id
        for migration_id in sorted(applied)
        if migration_id not in history and migration_id.partition(".")[0] in history.labels
    )


def refuse_ahead(unknown: Collection[str]) -> DatabaseAhead:
    """Return the error for a database that newer code has migrated."""
    return DatabaseAhead(
        f"the database is ahead of this code: it has {', '.join(unknown)}",
        code="db.E121",
        hint="deploy the code that has these files, or let it take them back first",
    )


def refuse_gaps(history: History, applied: Collection[str], steps: Collection[PlannedStep]) -> None:
    """Refuse to apply a migration after one that requires it.

    Raises:
        MigrationError: A migration is applied, and one that it requires is not.
    """
    for step in steps:
        later = history.descendants([step.migration.id]) - {step.migration.id}
        found = [item.id for item in history if item.id in later and item.id in applied]
        if step.forward and found:
            label, _, name = found[-1].partition(".")
            raise MigrationError(
                f"the database has {found[0]} and not {step.migration.id}, which that one requires",
                code="db.E151",
                hint=f"if its change is there: manage migrate {label} {name} --fake; else take"
                f" {found[0]} back first",
                where=Location(str(step.migration.path), 1),
            )


def _ends(history: History, target: Target) -> tuple[set[str], set[str]]:
    if not target.label:
        labels = history.labels
        return history.ancestors(head.id for head in _heads(history, *labels)), set()
    own = {migration.id for migration in history.of(target.label)}
    if target.name == ZERO:
        return set(), history.descendants(own)
    if not target.name:
        return history.ancestors(head.id for head in _heads(history, target.label)), set()
    wanted = history.ancestors([history.find(target.label, target.name).id])
    return wanted, history.descendants(own - wanted)


def _heads(history: History, *labels: str) -> list[Migration]:
    heads = (history.head(label) for label in labels)
    return [head for head in heads if head is not None]
