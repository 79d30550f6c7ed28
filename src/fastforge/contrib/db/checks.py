"""Checks of DATABASES that need no connection."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...checks import Level, Message, check
from .settings import Database

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["database_fits_production", "driver_is_installed"]


@check
def driver_is_installed(project: Project) -> Iterator[Message]:
    """Find a driver that the URL names and that is not there."""
    for database in _databases(project):
        driver = database.driver
        if find_spec(driver.package) is None:
            yield Message(
                id="db.E023",
                level=Level.ERROR,
                text=f"the driver {driver.package!r} of DATABASES is not installed",
                hint=driver.missing().hint,
                where=project.settings.where("DATABASES"),
            )


@check(deploy=True)
def database_fits_production(project: Project) -> Iterator[Message]:
    """Find what is right for development alone."""
    where = project.settings.where("DATABASES")
    for database in _databases(project):
        if database.is_sqlite:
            yield Message(
                id="db.W001",
                level=Level.WARNING,
                text="the database is a SQLite file: one host, and one writer at a time",
                hint="use PostgreSQL, or silence this where that is enough",
                where=where,
            )
        elif not database.statement_timeout_s:
            yield Message(
                id="db.W002",
                level=Level.WARNING,
                text="a statement may run for ever: statement_timeout_s is 0",
                hint="leave it at 15 and raise it for the few that need longer",
                where=where,
            )


def _databases(project: Project) -> tuple[Database, ...]:
    databases: dict[str, Database] = project.settings["DATABASES"]
    return tuple(databases.values())
