"""Fitness: whether a database can carry messages."""

from __future__ import annotations

from ....conf import Settings
from ....exceptions import StartError
from ..settings import Database

__all__ = ["NAME", "is_postgresql", "refusal"]

NAME = "postgres"
"""What CHANNELS.backend calls this backend."""


def is_postgresql(settings: Settings) -> bool:
    """Return whether the default database is PostgreSQL: in development it may be a file."""
    found = _default(settings)
    return found is not None and not found.is_sqlite


def refusal(settings: Settings) -> StartError | None:
    """Return why the default database cannot carry messages; None where it can."""
    found = _default(settings)
    if found is None:
        return None  # a check of contrib.db's own tells of it
    if found.is_sqlite:
        code, problem, hint = (
            "channels.E041",
            "DATABASES has a SQLite file, which notifies nobody",
            'use PostgreSQL, or Redis; for one process leave backend out, or say "memory"',
        )
    elif found.pooler and found.direct_url is None:
        code, problem, hint = (
            "channels.E042",
            "a pooler stands before the database, and through it nothing is heard",
            "say in DATABASES where the server itself is: Database(..., direct_url=...)",
        )
    elif found.read_only:
        code, problem, hint = (
            "channels.E043",
            "the database is read only, and a replica notifies nobody",
            "name the primary in DATABASES",
        )
    else:
        return None
    return StartError(
        f"CHANNELS.backend is {NAME!r}: {problem}",
        code=code,
        hint=hint,
        where=settings.where("CHANNELS") or settings.where("DATABASES"),
    )


def _default(settings: Settings) -> Database | None:
    databases: dict[str, Database] = settings["DATABASES"]
    return databases.get("default")
