"""A database for tests: made and migrated once a session, as it was then for each test."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anyio.from_thread import start_blocking_portal

from ...project import Project
from ...test.setups import ForEachTest, setup_for_tests
from .migrations.project import migration_engines, project_history
from .migrations.runner import migrate
from .resources import default_database
from .settings import Database

__all__ = ["database_of_its_own"]


@setup_for_tests
def database_of_its_own(project: Project, worker: str) -> Iterator[ForEachTest]:
    """Give each test a database that the real migrations have made.

    The database of the settings is not touched: SQLite tests use copies of a file in a temporary
    folder, PostgreSQL tests a database of the session's own on the same server.
    """
    config = default_database(project.settings)
    with _files(project, config) as for_each_test:
        yield for_each_test


def _using(project: Project, config: Database, url: str) -> Project:
    return project.overriding(
        settings={"DATABASES": {"default": config.model_copy(update={"url": url})}}
    )


async def _migrate(project: Project) -> None:
    async with migration_engines(project) as engines:
        await migrate(engines, project_history(project))


# --- SQLite --------------------------------------------------------------------------------------


@contextmanager
def _files(project: Project, config: Database) -> Iterator[ForEachTest]:
    with tempfile.TemporaryDirectory(prefix="fastforge-tests-") as folder:
        template = Path(folder, "template.sqlite3")
        with start_blocking_portal() as portal:
            portal.call(_migrate, _using(project, config, _url(template)))
        _into_one_file(template)
        numbers = iter(range(10**9))

        @contextmanager
        def for_each_test(project: Project) -> Iterator[Project]:
            with tempfile.TemporaryDirectory(prefix=f"{next(numbers)}-", dir=folder) as own:
                file = shutil.copyfile(template, Path(own, "test.sqlite3"))
                yield _using(project, config, _url(file))

        yield for_each_test


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _into_one_file(file: Path) -> None:
    """Write what SQLite keeps beside a database into it."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
