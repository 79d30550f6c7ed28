"""Known: the migrations that this code has by the names of their files, without running them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from ....apps import load_apps
from ....conf import Settings
from .errors import MigrationFileError
from .folders import AppFolder, folder_of, migration_ids
from .requirements import missing_in

__all__ = ["Difference", "KnownMigrations", "known_migrations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How a database differs from the files.

    Attributes:
        unapplied: The ids that only the files have, sorted.
        ahead: The ids that only the database has, sorted.
        broken: Why `migrate` would do nothing about it: a file that others require is not there.
    """

    unapplied: tuple[str, ...]
    ahead: tuple[str, ...]
    broken: MigrationFileError | None = None


@dataclass(frozen=True, kw_only=True)
class KnownMigrations:
    """The ids of all files, and the folders and labels of the installed apps."""

    ids: frozenset[str]
    labels: frozenset[str]
    folders: tuple[AppFolder, ...] = ()

    def compared_with(self, applied: Collection[str]) -> Difference:
        """Return how a database differs; what apps that are not installed left is nothing."""
        unknown = (each for each in applied if each not in self.ids)
        unapplied = tuple(sorted(self.ids.difference(applied)))
        ahead = tuple(sorted(each for each in unknown if each.partition(".")[0] in self.labels))
        broken = self._broken if unapplied or ahead else None
        return Difference(unapplied=unapplied, ahead=ahead, broken=broken)

    @cached_property
    def _broken(self) -> MigrationFileError | None:
        """The files are opened only where a database differs, and once."""
        return missing_in(self.folders, self.ids)


def known_migrations(settings: Settings) -> KnownMigrations:
    """Return the migrations of the installed apps.

    Loading them, as `migrate` does, would import alembic, in a process that serves.
    """
    apps = load_apps(settings["INSTALLED_APPS"], locate=lambda index: None)
    folders = tuple(map(folder_of, apps))
    return KnownMigrations(
        ids=frozenset(migration_ids(folders)),
        labels=frozenset(folder.label for folder in folders),
        folders=folders,
    )
