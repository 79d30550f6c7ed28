"""Two apps whose tables change from step to step, in a temporary folder, for the tests here."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fastforge.contrib.db.engine import Engines
from fastforge.contrib.db.migrations import ledger
from fastforge.contrib.db.migrations.files import load_history
from fastforge.contrib.db.migrations.fills import Fill, nobody_fills
from fastforge.contrib.db.migrations.folders import AppFolder
from fastforge.contrib.db.migrations.history import History
from fastforge.contrib.db.migrations.maker import AppTables, missing_migrations
from fastforge.contrib.db.migrations.plan import EVERYTHING, Target
from fastforge.contrib.db.migrations.questions import Suspicion
from fastforge.contrib.db.migrations.runner import Report, migrate
from fastforge.contrib.db.migrations.writer import NewMigration, write
from fastforge.contrib.db.model import NAMING_CONVENTION
from fastforge.contrib.db.resources import open_database
from fastforge.contrib.db.settings import Database

LABELS = ("users", "blog")

Define = Callable[[sa.MetaData], Any]


def nobody(suspicion: Suspicion) -> bool | None:
    """Nobody is there to answer."""
    return None


def yes(suspicion: Suspicion) -> bool | None:
    """It was renamed."""
    return True


def no(suspicion: Suspicion) -> bool | None:
    """It was not renamed."""
    return False


class World:
    """The folders of two apps, `users` and `blog`; a table belongs to the app of its prefix."""

    def __init__(self, path: Path, labels: Sequence[str] = LABELS) -> None:
        self.path = path
        self.labels = labels

    def folder(self, label: str) -> AppFolder:
        return AppFolder(label=label, path=self.path / label / "migrations")

    @property
    def history(self) -> History:
        return load_history(self.folder(label) for label in self.labels)

    def missing(
        self,
        define: Define,
        *,
        ask: Callable[[Suspicion], bool | None] = nobody,
        fill: Fill = nobody_fills,
        name: str = "",
        prefixes: Mapping[str, str] | None = None,
    ) -> tuple[NewMigration, ...]:
        """What the models that `define` makes need beyond the files.

        `prefixes` gives an app the tables of another prefix than its label.
        """
        metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
        define(metadata)
        begins = {label: label for label in self.labels} | dict(prefixes or {})
        apps = [
            (self.folder(label), _tables(label, begins[label], metadata)) for label in self.labels
        ]
        return missing_migrations(self.history, apps, ask=ask, fill=fill, name=name)

    def make(
        self,
        define: Define,
        *,
        ask: Callable[[Suspicion], bool | None] = nobody,
        fill: Fill = nobody_fills,
    ) -> tuple[NewMigration, ...]:
        """Write what is missing."""
        new = self.missing(define, ask=ask, fill=fill)
        for migration in new:
            write(migration)
        return new

    def write(self, label: str, name: str, body: str, **values: object) -> Path:
        """Write a migration by hand; `values` replace the module's four names."""
        names = {"revision": f"{label}.{name}", "depends_on": None} | values
        if "down_revision" not in names:
            previous = self.history.of(label)
            names["down_revision"] = previous[-1].id if previous else None
        path = self.folder(label).path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{key} = {value!r}" for key, value in names.items()]
        path.write_text("\n".join(["import sqlalchemy as sa", *lines, textwrap.dedent(body)]))
        return path


def _tables(label: str, prefix: str, metadata: sa.MetaData) -> AppTables:
    own = [table for table in metadata.tables.values() if table.name.startswith(f"{prefix}_")]
    return AppTables(label=label, tables=tuple(own))


@asynccontextmanager
async def connected(url: str, **fields: Any) -> AsyncIterator[Engines]:
    """A database as `migrate` opens it; `fields` are more of its section."""
    config = Database(url=url, pool_size=2, max_overflow=0, statement_timeout_s=0, **fields)
    opened = await open_database(config, root=Path("/"), environment="test")
    try:
        yield opened.engines
    finally:
        await opened.engine.dispose()


async def run(
    engines: Engines, world: World, target: Target = EVERYTHING, **options: Any
) -> Report:
    return await migrate(engines, world.history, target=target, **options)


async def execute(engines: Engines, *statements: str) -> None:
    async with engines.engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def scalar(engines: Engines, query: str) -> Any:
    async with engines.engine.connect() as connection:
        return (await connection.exec_driver_sql(query)).scalar()


async def applied(engines: Engines) -> set[str]:
    return await ledger.read(engines)


async def dump(engines: Engines) -> dict[str, Any]:
    """What the database says of its tables, but not in which order it was told."""
    async with engines.engine.connect() as connection:
        tables = await connection.run_sync(_describe)
        names = await connection.run_sync(_names)
    return {table: facts | {"names": names.get(table, [])} for table, facts in tables.items()}


def _describe(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    inspector = sa.inspect(connection)
    # It says so of each index over an expression; `_names` sees them.
    warnings.filterwarnings("ignore", "Skipped unsupported reflection", sa.exc.SAWarning)
    return {
        table: {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"], c["default"])
                for c in inspector.get_columns(table)
            ),
            "primary key": inspector.get_pk_constraint(table)["constrained_columns"],
            "foreign keys": sorted(
                (str(k["name"]), k["referred_table"], str(k["options"]))
                for k in inspector.get_foreign_keys(table)
            ),
            "unique": sorted(str(u["name"]) for u in inspector.get_unique_constraints(table)),
            "checks": sorted(str(c["name"]) for c in inspector.get_check_constraints(table)),
        }
        for table in inspector.get_table_names()
    }


def _names(connection: sa.Connection) -> dict[str, list[str]]:
    """The indexes by table, also those that SQLAlchemy cannot describe."""
    query = (
        "SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'"
        if connection.dialect.name == "postgresql"
        else "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    )
    found: dict[str, list[str]] = {}
    for table, name in connection.exec_driver_sql(query):
        found.setdefault(table, []).append(name)
    return {table: sorted(names) for table, names in found.items()}


def users(metadata: sa.MetaData, *columns: Any) -> sa.Table:
    """`users_user`: an id, a unique email, and more."""
    return sa.Table(
        "users_user",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(100), nullable=False, unique=True),
        *columns,
    )


def posts(
    metadata: sa.MetaData, *columns: Any, title: str = "title", table: str = "blog_post"
) -> sa.Table:
    """`blog_post`: it refers to its author, whose deletion deletes it."""
    author = sa.ForeignKey("users_user.id", ondelete="CASCADE")
    return sa.Table(
        table,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("author_id", author, nullable=False, index=True),
        sa.Column(title, sa.String(50), nullable=False),
        *columns,
    )


def two_apps(metadata: sa.MetaData) -> None:
    """The first state of both."""
    users(metadata)
    posts(metadata)
