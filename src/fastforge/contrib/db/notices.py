"""What a developer should know of the database: migrations that it does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from sqlalchemy import exc

from ...apps import load_apps
from ...lifecycle import current_container, notice, provide
from .migrations import ledger
from .migrations.folders import folder_of, migration_ids
from .resources import DatabaseConnection, database
from .unavailable import unavailable

__all__ = ["unapplied_migrations"]


@notice
async def unapplied_migrations(
    database: Annotated[DatabaseConnection, provide(database)],
) -> list[str]:
    """Count the migrations that only the files or only the database have.

    It compares names. Running the files, as `migrate` does, would import alembic, in a process
    that has just answered for the first time.
    """
    try:
        applied = await ledger.read(database.engines)
    except (exc.SQLAlchemyError, OSError, TimeoutError) as error:
        raise unavailable(database.config, error) from error
    settings = current_container().settings
    apps = load_apps(settings["INSTALLED_APPS"], locate=lambda index: None)
    labels = {app.label for app in apps}
    known = migration_ids(folder_of(app) for app in apps)
    unknown = {each for each in applied - known if each.partition(".")[0] in labels}
    return list(_lines(len(known - applied), sorted(unknown)))


def _lines(unapplied: int, unknown: list[str]) -> Iterator[str]:
    if unapplied:
        are = "migration is" if unapplied == 1 else "migrations are"
        yield f"{unapplied} {are} not applied: manage migrate"
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        yield f"the database is ahead of this code: it has {unknown[0]}{more}"
