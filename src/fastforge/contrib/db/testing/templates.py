"""Templates: what tells whether one that was built before is still right."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .... import __version__
from ..migrations.project import app_folders, migration_engines, project_history
from ..migrations.runner import migrate
from ..settings import Database

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["build", "digest_of", "with_database"]

DIGITS = 12


def digest_of(project: Project) -> str:
    """Return what changes whenever a migration file does; the files are read and not run."""
    digest = hashlib.sha256(__version__.encode())
    for folder in app_folders(project):
        for path in folder.files():
            digest.update(f"\0{folder.label}.{path.stem}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:DIGITS]


async def build(project: Project, name: str, database: Database) -> None:
    """Run all migrations on an empty database.

    Args:
        project: As the settings say it.
        name: The database's name in DATABASES.
        database: The section of the empty one.
    """
    other = with_database(project, {name: database})
    async with migration_engines(other, name=name) as engines:
        await migrate(engines, project_history(other))


def with_database(project: Project, databases: dict[str, Database]) -> Project:
    """Return the project with other databases of the same names."""
    all_of_them = {**project.settings["DATABASES"], **databases}
    return project.overriding(settings={"DATABASES": all_of_them})
