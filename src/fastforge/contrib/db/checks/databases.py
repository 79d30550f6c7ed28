"""Checks of DATABASES, of the models against their migrations, and of what databases say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from ...._utils import counted, did_you_mean, failing_line, told
from ....checks import Level, Message, check
from ....core.settings import Server
from ....exceptions import ErrorGroup, ForgeError, Location
from ..settings import Database

if TYPE_CHECKING:
    from ....project import Project
    from ..inspection.inspecting import Inspected
    from ..migrations.maker import AppTables

__all__ = [
    "connections_are_enough",
    "database_fits_production",
    "databases_answer",
    "databases_are_named",
    "driver_is_installed",
    "file_is_safe",
    "limits_hold",
    "migrations_are_applied",
    "migrations_fit_models",
    "pooler_is_declared",
    "statements_end_before_requests",
    "threads_find_connections",
]

CONFLICT: Final = "db.E105"
"""The code of migrations of which nobody can say which comes first."""


@check(tags={"database"})
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


@check(tags={"database"})
def databases_are_named(project: Project) -> Iterator[Message]:
    """Find handlers and tasks that ask for a database by a name that DATABASES does not have."""
    from ..sessions.asked import asked_databases  # SQLAlchemy's half of a second, for the few

    known: dict[str, Database] = project.settings["DATABASES"]
    for asked in asked_databases(project):
        if asked.database not in known:
            yield Message(
                id="db.E076",
                level=Level.ERROR,
                text=f"{asked.who} asks for the database {asked.database!r}, which DATABASES does"
                " not have",
                hint=did_you_mean(asked.database, known) or f"it has {', '.join(map(repr, known))}",
                where=asked.where,
            )


@check(tags={"database"}, deploy=True)
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


@check(tags={"database", "server"}, deploy=True)
def statements_end_before_requests(project: Project) -> Iterator[Message]:
    """Find limits of the database that no request ever meets, because it ends before them."""
    request_s = project.settings.section(Server).request_timeout_s
    for name, database in _named(project).items():
        wait_s = database.pool_timeout_s + database.statement_timeout_s
        if request_s and database.statement_timeout_s and wait_s > request_s:
            yield Message(
                id="db.W004",
                level=Level.WARNING,
                text=f"{name}: one statement may take {database.pool_timeout_s:g} pool_timeout_s"
                f" + {database.statement_timeout_s:g} statement_timeout_s = {wait_s:g} s, and its"
                f" request ends with 504 after {request_s:g} (SERVER.request_timeout_s)",
                hint="lower them, or raise request_timeout_s; single handlers have @time_limit",
                where=project.settings.where("DATABASES"),
            )


@check(tags={"database", "server"}, deploy=True)
def threads_find_connections(project: Project) -> Iterator[Message]:
    """Find plain handlers that hold a connection each, where there are more threads for them."""
    from ..sessions.asked import held_in_threads  # SQLAlchemy's half of a second, for the few

    threads = project.settings.section(Server).threads
    databases = _named(project)
    for held in held_in_threads(project):
        database = databases.get(held.database)
        if database is None or database.is_sqlite or not database.atomic_requests:
            continue
        size = database.pool_size
        overflow = database.max_overflow or 0
        if threads > size + overflow:
            yield Message(
                id="db.W005",
                level=Level.WARNING,
                text=f"{held.who} is a plain def that may hold a connection: {threads} run at the"
                f" same time (SERVER.threads), and {held.database} has pool_size {size} +"
                f" max_overflow {overflow} = {counted(size + overflow, 'connection')}",
                hint="write async def, with offload() for what blocks; or @non_atomic; or raise"
                " pool_size",
                where=held.where,
            )


@check(tags={"database", "migrations"})
def migrations_fit_models(project: Project) -> Iterator[Message]:
    """Find models whose migration nobody has made, in the apps that are the project's own."""
    try:
        yield from _unmade(project)
    except ErrorGroup as group:
        yield from map(_uncompared, group.errors)
    except Exception as error:  # models and migrations are the user's code: they raise anything
        yield _uncompared(error)


def _unmade(project: Project) -> Iterator[Message]:
    # Here, because every process of the project imports its checks, and alembic comes with these.
    from ..migrations.maker import missing_migrations
    from ..migrations.project import app_folders, app_tables, project_history

    own = [folder for folder in app_folders(project) if folder.editable]
    if not own:
        return
    tables = app_tables(project)
    pairs = [(folder, tables[folder.label]) for folder in own]
    for new in missing_migrations(project_history(project), pairs, ask=lambda suspicion: None):
        yield Message(
            id="db.W003",
            level=Level.WARNING,
            text=f"the models of {new.label!r} differ from its migrations",
            hint="run: manage makemigrations",
            where=_first_model(tables[new.label]) or Location(str(new.path.parent), 1),
        )


def _first_model(tables: AppTables) -> Location | None:
    places = sorted(tables.locations.values(), key=lambda place: (place.file, place.line))
    return places[0] if places else None


def _uncompared(error: Exception) -> Message:
    found = error.where if isinstance(error, ForgeError) else failing_line(error)
    place = found if isinstance(found, Location) else None
    if not isinstance(error, ForgeError):
        why, hint = told(error), ""
    elif error.code == CONFLICT:
        return Message(
            id="db.E075", level=Level.ERROR, text=error.message, hint=error.hint, where=place
        )
    else:
        why, hint = f"[{error.code}] {error.message}", error.hint
    return Message(
        id="db.E025",
        level=Level.ERROR,
        text=f"the models cannot be compared with their migrations: {why}",
        hint=hint,
        where=place,
    )


# What follows connects. Its modules are imported where they are used: every process of a project
# imports its checks.


@check(connects="database", tags={"database"})
async def databases_answer(project: Project) -> AsyncIterator[Message]:
    """Find a database that does not answer, or cannot be written; say which versions there are."""
    from ..inspection.findings import answers

    async for message in _found(project, answers):
        yield message


@check(connects="database", tags={"database"})
async def connections_are_enough(project: Project) -> AsyncIterator[Message]:
    """Find pools that together are larger than what a server, a user or a database may have."""
    from ..inspection.budgeting import budget_problems
    from ..inspection.inspecting import inspect_databases

    for message in budget_problems(project, await inspect_databases(project)):
        yield replace(message, where=project.settings.where("DATABASES"))


@check(connects="database", tags={"database"})
async def limits_hold(project: Project) -> AsyncIterator[Message]:
    """Find time limits that the server does not keep as the settings say."""
    from ..inspection.findings import limit_problems

    async for message in _found(project, limit_problems):
        yield message


@check(connects="database", tags={"database"})
async def pooler_is_declared(project: Project) -> AsyncIterator[Message]:
    """Find a pooler that the settings do not know of, and one without a way past it."""
    from ..inspection.findings import pooler_problems

    async for message in _found(project, pooler_problems):
        yield message


@check(connects="database", tags={"database", "migrations"})
async def migrations_are_applied(project: Project) -> AsyncIterator[Message]:
    """Find migrations that only the code or only a database has."""
    from ..inspection.findings import migration_problems

    async for message in _found(project, migration_problems):
        yield message


@check(connects="database", tags={"database"})
async def file_is_safe(project: Project) -> AsyncIterator[Message]:
    """Find what is wrong with a SQLite file and its place."""
    from ..inspection.findings import file_problems

    async for message in _found(project, file_problems):
        yield message


async def _found(
    project: Project, find: Callable[[Inspected], Iterator[Message]]
) -> AsyncIterator[Message]:
    from ..inspection.inspecting import inspect_databases

    for database in await inspect_databases(project):
        for message in find(database):
            yield replace(message, where=project.settings.where("DATABASES"))


def _databases(project: Project) -> tuple[Database, ...]:
    return tuple(_named(project).values())


def _named(project: Project) -> Mapping[str, Database]:
    databases: dict[str, Database] = project.settings["DATABASES"]
    return databases
