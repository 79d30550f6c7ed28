"""Project: the migrations of a loaded project, its models' tables, and its database."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ForeignKey, Table
from sqlalchemy.exc import NoReferencedColumnError, NoReferencedTableError
from sqlalchemy.orm import configure_mappers

from ...._utils import did_you_mean
from ....components import Component
from ....conf import Settings
from ....exceptions import Location
from ..engine import Engines
from ..kinds import MODELS
from ..model import Model
from ..named import named_database
from ..resources import DEFAULT, DatabaseConnection, open_of
from ..settings import Database
from . import ledger
from .errors import MigrationError
from .files import load_history
from .folders import AppFolder, folder_of
from .history import History
from .lock import DEFAULT_WAIT_S
from .making import AppTables, refuse
from .migration import Migration
from .plan import EVERYTHING, plan

if TYPE_CHECKING:
    from ....project import Project

__all__ = [
    "app_folders",
    "app_tables",
    "ledger_engines",
    "migration_engines",
    "project_history",
    "unapplied",
]

TABLE_LOCK_TIMEOUT_S: Final = 4.0
"""A migration that waits for a table makes everybody behind it wait too."""


def app_folders(project: Project) -> tuple[AppFolder, ...]:
    """Return where each installed app keeps its migrations."""
    return tuple(folder_of(app) for app in project.apps)


def project_history(project: Project) -> History:
    """Read the migrations of all installed apps.

    Raises:
        ErrorGroup: Files that do not load or have a wrong form.
        MigrationFileError: The migrations do not fit together.
    """
    return load_history(app_folders(project))


def app_tables(project: Project) -> dict[str, AppTables]:
    """Return the tables of each installed app, by label.

    A table belongs to the app whose module defines its model. One without a model (the link of
    a many-to-many relationship) belongs to the app whose label its name begins with, or else to
    the app of a model that links through it.

    Raises:
        ErrorGroup: Foreign keys that refer to what no model has.
    """
    models = project.registry.components(MODELS)
    refuse(_referring_to_nothing(models))
    configure_mappers()
    owners: dict[Table, str] = {}
    locations: dict[str, dict[str, Location]] = {app.label: {} for app in project.apps}
    for component in models:
        for table in _mapped(component.value):
            if owners.setdefault(table, component.app) == component.app:
                locations[component.app].setdefault(table.key, component.location)
    for component in models:
        for table in _linking(component.value):
            if table not in owners:
                owners[table] = _label_in(table.name, locations) or component.app
    return {
        label: AppTables(
            label=label,
            tables=tuple(table for table, owner in owners.items() if owner == label),
            locations=places,
        )
        for label, places in locations.items()
    }


@asynccontextmanager
async def migration_engines(
    project: Project, *, name: str = DEFAULT, wait_s: float = DEFAULT_WAIT_S
) -> AsyncIterator[Engines]:
    """Open a database of the project for migrations: statements may take as long as they need.

    Where a pooler stands in between, `direct_url` leads past it: it would give the lock, which
    belongs to one connection of the server, to whoever comes next.

    Args:
        project: The loaded project.
        name: The database's name in DATABASES.
        wait_s: How long SQLite waits for the file's write lock, in seconds.

    Raises:
        CommandError: DATABASES has no such name.
        MigrationError: The database is read only, or there is no way past its pooler.
        ResourceUnavailable: The database cannot be reached.
    """
    settings = project.settings
    config = named_database(settings, name)
    _refuse_read_only(config, name, settings)
    _refuse_pooler(config, name, settings)
    patient = config.direct.model_copy(
        update={
            "statement_timeout_s": 0,
            "idle_in_transaction_timeout_s": 0,
            "slow_query_ms": 0,  # most are, and nobody waits for an answer
            "repeated_queries": 0,
            # There 0 would be no limit.
            "lock_timeout_s": max(wait_s, 0.001) if config.is_sqlite else TABLE_LOCK_TIMEOUT_S,
            # One holds the migration lock, the other works.
            "pool_size": 2,
            "max_overflow": 0,
        }
    )
    async with _opened(settings, patient) as engines:
        yield engines


@asynccontextmanager
async def ledger_engines(project: Project, *, name: str = DEFAULT) -> AsyncIterator[Engines]:
    """Open a database of the project for a look at its ledger, also one that is read only.

    Args:
        project: The loaded project.
        name: The database's name in DATABASES.

    Raises:
        CommandError: DATABASES has no such name.
        ResourceUnavailable: The database cannot be reached.
    """
    settings = project.settings
    async with _opened(settings, named_database(settings, name).direct) as engines:
        yield engines


@asynccontextmanager
async def _opened(settings: Settings, config: Database) -> AsyncIterator[Engines]:
    opened = await open_of(settings, config)
    try:
        yield opened.engines
    finally:
        await opened.engine.dispose()


def _refuse_read_only(config: Database, name: str, settings: Settings) -> None:
    if config.read_only:
        raise MigrationError(
            f"the database {name!r} is read only, and migrations write",
            code="db.E152",
            hint="a replica follows the database that it copies: migrate that one",
            where=settings.where("DATABASES"),
        )


def _refuse_pooler(config: Database, name: str, settings: Settings) -> None:
    if config.pooler and config.direct_url is None:
        raise MigrationError(
            f"the database {name!r} is reached through a pooler, which cannot hold the lock of"
            " migrations",
            code="db.E150",
            hint="write direct_url: the URL of the server itself",
            where=settings.where("DATABASES"),
        )


async def unapplied(project: Project, database: DatabaseConnection) -> list[Migration]:
    """Return the migrations that a database does not have yet, in order.

    ```python
    waiting = await unapplied(project, container[database])
    ```

    Args:
        project: The loaded project.
        database: Its running database; it is only read.

    Raises:
        ErrorGroup: Files that do not load or have a wrong form.
        MigrationFileError: The migrations do not fit together.
    """
    applied = await ledger.read(database.engines)
    return [step.migration for step in plan(project_history(project), applied, EVERYTHING)]


def _referring_to_nothing(models: Iterable[Component[Any]]) -> Iterator[MigrationError]:
    for component in models:
        for table in _mapped(component.value):
            errors = (_to_nothing(key, component.location) for key in table.foreign_keys)
            yield from filter(None, errors)


def _to_nothing(key: ForeignKey, where: Location) -> MigrationError | None:
    """Return the error for a foreign key to what no model has; None for one that is right."""
    tables = key.parent.table.metadata.tables
    try:
        _ = key.column
    except NoReferencedTableError as error:
        near = did_you_mean(error.table_name, tables)
    except NoReferencedColumnError as error:
        near = did_you_mean(error.column_name, tables[error.table_name].columns.keys())
    else:
        return None
    return MigrationError(
        f"the foreign key {key.parent} refers to {key.target_fullname}, which no model has",
        code="db.E144",
        hint=near or "name a table and a column of a model whose app is in INSTALLED_APPS",
        where=where,
    )


def _mapped(model: type[Model]) -> Iterator[Table]:
    table = model.__dict__.get("__table__")
    if isinstance(table, Table):
        yield table


def _linking(model: type[Model]) -> Iterator[Table]:
    for relationship in model.__mapper__.relationships:
        if isinstance(relationship.secondary, Table):
            yield relationship.secondary
    # A link that no relationship uses, but that stands beside the models.
    for value in vars(sys.modules[model.__module__]).values():
        if isinstance(value, Table) and value.metadata is model.metadata:
            yield value


def _label_in(table_name: str, labels: dict[str, dict[str, Location]]) -> str | None:
    fitting = [label for label in labels if table_name.startswith(f"{label}_")]
    return max(fitting, key=len, default=None)
