"""Homes: where the databases of the tests are, one for each that the settings name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from ..resources import DEFAULT
from ..settings import Database

__all__ = ["Home", "Homes", "mirrors_in"]


class Home(Protocol):
    """The database that one worker's tests have in the place of one of the settings.

    Attributes:
        database: Its section, for the tests that commit nothing.
        making: How often it has been made; connections to an earlier one are dead.
        checks_deferred: Whether there are constraints that only a COMMIT checks.
    """

    @property
    def database(self) -> Database: ...
    @property
    def making(self) -> int: ...
    @property
    def checks_deferred(self) -> bool: ...
    def committing(self) -> AbstractContextManager[Database]:
        """Give the section for a test whose commits are real; then clean up behind it."""
        ...


class Homes:
    """The homes by the names of DATABASES.

    Args:
        homes: Those that are one.
        mirrors: The others: by their names, whose database they are.
    """

    def __init__(self, homes: Mapping[str, Home], mirrors: Mapping[str, str]) -> None:
        self._homes = homes
        self._mirrors = mirrors

    def owner(self, name: str) -> str:
        """Return the name whose database it is."""
        return self._mirrors.get(name, name)

    def making(self, name: str) -> int:
        """Return how often a database has been made."""
        return self._homes[name].making

    def checks_deferred(self, name: str) -> bool:
        """Return whether there are constraints that only a COMMIT checks."""
        return self._homes[name].checks_deferred

    def has(self, name: str, database: Database) -> bool:
        """Return whether a section is that of the tests that commit nothing."""
        home = self._homes.get(self.owner(name))
        return home is not None and home.database.url == database.url

    def databases(self, of: Mapping[str, Database]) -> dict[str, Database]:
        """Return the sections for a test that commits nothing.

        Args:
            of: DATABASES.
        """
        return self._at({name: home.database for name, home in self._homes.items()}, of)

    @contextmanager
    def committing(self, of: Mapping[str, Database]) -> Iterator[dict[str, Database]]:
        """Give the sections for a test whose commits are real; then clean up behind it.

        Args:
            of: DATABASES.
        """
        with ExitStack() as stack:
            homes = {
                name: stack.enter_context(home.committing()) for name, home in self._homes.items()
            }
            yield self._at(homes, of)

    def _at(self, homes: Mapping[str, Database], of: Mapping[str, Database]) -> dict[str, Database]:
        at = {name: homes[self.owner(name)].url for name in of}
        return {name: moved(database, at[name]) for name, database in of.items()}


def moved(database: Database, url: str) -> Database:
    """Return a section with another URL, which leads past any pooler."""
    return database.model_copy(update={"url": url, "direct_url": None, "pooler": None})


def mirrors_in(databases: Mapping[str, Database]) -> dict[str, str]:
    """Return which databases are another's: a replica is the default one's, as is its URL.

    A test reads through them what it has written.
    """
    mirrors: dict[str, str] = {}
    seen: dict[str, str] = {databases[DEFAULT].url: DEFAULT}
    for name, database in databases.items():
        if name == DEFAULT:
            continue
        if database.read_only:
            mirrors[name] = DEFAULT
        elif database.url in seen:
            mirrors[name] = seen[database.url]
        else:
            seen[database.url] = name
    return mirrors
