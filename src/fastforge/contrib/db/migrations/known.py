"""Known: the migrations that this code has by the names of their files, without running them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ....apps import load_apps
from ....conf import Settings
from .folders import folder_of, migration_ids

__all__ = ["Difference", "KnownMigrations", "known_migrations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What only the files or only a database have, as sorted ids."""

    unapplied: tuple[str, ...]
    ahead: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMigrations:
    """The ids of all files, and the labels of the installed apps."""

    ids: frozenset[str]
    labels: frozenset[str]

    def compared_with(self, applied: Collection[str]) -> Difference:
        """Return how a database differs; what apps that are not installed left is nothing."""
        unknown = (each for each in applied if each not in self.ids)
        return Difference(
            unapplied=tuple(sorted(self.ids.difference(applied))),
            ahead=tuple(sorted(each for each in unknown if each.partition(".")[0] in self.labels)),
        )


def known_migrations(settings: Settings) -> KnownMigrations:
    """Return the migrations of the installed apps.

    Loading them, as `migrate` does, would import alembic, in a process that serves.
    """
    apps = load_apps(settings["INSTALLED_APPS"], locate=lambda index: None)
    return KnownMigrations(
        ids=frozenset(migration_ids(folder_of(app) for app in apps)),
        labels=frozenset(app.label for app in apps),
    )
