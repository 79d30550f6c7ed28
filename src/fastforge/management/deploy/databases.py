"""Databases: which of them production needs, and which variables lead there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ...conf.feeding import feeds_of

if TYPE_CHECKING:
    from ...project import Project

__all__ = ["Databases", "databases_of", "feeding"]

APP: Final = "fastforge.contrib.db"
SETTING: Final = "DATABASES"
DEFAULT: Final = "default"

_IN_A_COMMENT: Final = re.compile(r"(?m)^\s*#.*$")
_BOTH_DRIVERS: Final = r"fastforge[-_]framework\[[^]]*\b(?:postgres|all)\b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """The databases of a project in production; all fields are empty for one that has none.

    Args:
        scheme: How the address of the default database begins.
        variables: The variables that lead to it, or to a replica of it.
        file: The place in the settings that names a SQLite file, which no variable replaces.
        connections: How many connections one process has at most, to all of them.
        lacks_driver: Whether the project does not say that it needs the driver.
    """

    scheme: str = ""
    variables: tuple[str, ...] = ()
    file: str = ""
    connections: int = 0
    lacks_driver: bool = False


def databases_of(project: Project) -> Databases:
    """Return what production needs.

    A database whose address comes from a variable is a PostgreSQL server there: what the settings
    have as its default is for laptops.
    """
    if all(app.name != APP for app in project.apps):
        return Databases()
    databases: Mapping[str, Any] = project.settings[SETTING]
    file = _file(project, databases)
    default = databases.get(DEFAULT) or next(iter(databases.values()))
    drivers = _drivers(project)
    scheme: str = default.scheme
    if default.is_sqlite and not file:
        scheme = f"postgresql+{'psycopg' if drivers == {'psycopg'} else 'asyncpg'}"
    return Databases(
        scheme=scheme,
        variables=tuple(_variables(project, databases)),
        file=file,
        connections=sum(each.pool_size + (each.max_overflow or 0) for each in databases.values()),
        lacks_driver=scheme.startswith("postgresql") and not drivers,
    )


def feeding(project: Project, setting: str, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the variables that a field is made of, as far as the source of the settings tells."""
    for feed in feeds_of(project.settings, setting):
        if feed.path == path:
            yield feed.variable.name


def _file(project: Project, databases: Mapping[str, Any]) -> str:
    for name, database in databases.items():
        if database.is_sqlite and not [*feeding(project, SETTING, (name, "url"))]:
            return str(project.settings.where(SETTING) or f"the default of {SETTING}")
    return ""


def _variables(project: Project, databases: Mapping[str, Any]) -> Iterator[str]:
    for name, database in databases.items():
        if name == DEFAULT or database.read_only:
            for field in ("url", "direct_url"):
                yield from feeding(project, SETTING, (name, field))


def _drivers(project: Project) -> set[str]:
    """Return the drivers for PostgreSQL that the project asks for, in whatever it is locked by."""
    root = project.settings.root
    files = (root / name for name in ("pyproject.toml", "requirements.txt", "uv.lock"))
    text = "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())
    text = _IN_A_COMMENT.sub("", text)
    if re.search(_BOTH_DRIVERS, text):
        return {"asyncpg", "psycopg"}
    return {driver for driver in ("asyncpg", "psycopg") if re.search(rf"\b{driver}\b", text)}
