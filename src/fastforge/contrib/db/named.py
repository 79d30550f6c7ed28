"""Named: the database that somebody names on the command line."""

from __future__ import annotations

from ..._utils import did_you_mean
from ...conf import Settings
from ...exceptions import CommandError
from .settings import Database

__all__ = ["named_database"]


def named_database(settings: Settings, name: str) -> Database:
    """Return the section of a database by its name in DATABASES.

    Raises:
        CommandError: DATABASES has no such name.
    """
    databases: dict[str, Database] = settings["DATABASES"]
    if name in databases:
        return databases[name]
    raise CommandError(
        f"DATABASES has no {name!r}",
        code="db.E030",
        hint=did_you_mean(name, databases) or f"it has {', '.join(databases)}",
        where=settings.where("DATABASES"),
    )
