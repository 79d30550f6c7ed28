"""Fitness: whether a database is a file that several processes can open."""

from __future__ import annotations

from ....conf import Settings
from ....exceptions import StartError
from ..settings import Database

__all__ = ["NAME", "is_file", "refusal"]

NAME = "sqlite"
"""What CHANNELS.backend calls this backend."""


def is_file(settings: Settings) -> bool:
    """Return whether the default database is a SQLite file that is written."""
    found = _default(settings)
    return found is not None and found.is_sqlite and not found.read_only


def refusal(settings: Settings) -> StartError | None:
    """Return why the default database cannot carry messages; None where it can."""
    if is_file(settings) or _default(settings) is None:  # a check of contrib.db's own tells of that
        return None
    return StartError(
        f"CHANNELS.backend is {NAME!r}, and the default database is no SQLite file to write to",
        code="channels.E050",
        hint='for PostgreSQL add "fastforge.contrib.db.postgres_channels" to INSTALLED_APPS; for'
        " one process leave backend out",
        where=settings.where("CHANNELS") or settings.where("DATABASES"),
    )


def _default(settings: Settings) -> Database | None:
    databases: dict[str, Database] = settings["DATABASES"]
    return databases.get("default")
