"""Files: the homes of SQLite, copies of a file that the migrations have made."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anyio.from_thread import BlockingPortal

from ..settings import Database
from .homes import moved
from .templates import build, digest_of

if TYPE_CHECKING:
    from ....project import Project

__all__ = ["file_home"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHome:
    """A file that the tests share that commit nothing, and a copy for each of the others."""

    database: Database
    template: Path
    making: int
    checks_deferred: bool

    @contextmanager
    def committing(self) -> Iterator[Database]:
        """Give a copy of the template."""
        with tempfile.TemporaryDirectory(dir=self.template.parent) as own:
            yield _copied(self.database, self.template, Path(own, "test.sqlite3"))


@contextmanager
def file_home(
    portal: BlockingPortal,
    project: Project,
    name: str,
    *,
    cache: Path | None,
    anew: bool,
) -> Iterator[FileHome]:
    """Make the files of one of DATABASES in a folder that is gone afterwards.

    Args:
        portal: Where asynchronous things run.
        project: As the settings say it.
        name: The database's name in DATABASES.
        cache: Where the template is kept from session to session; None for nowhere.
        anew: Whether to build it although it is there.
    """
    config: Database = project.settings["DATABASES"][name]
    with tempfile.TemporaryDirectory(prefix="fastforge-tests-") as folder:
        template = Path(folder, "template.sqlite3")
        kept = cache / f"{name}-{digest_of(project)}.sqlite3" if cache is not None else None
        if kept is not None and kept.exists() and not anew:
            shutil.copyfile(kept, template)
        else:
            portal.call(build, project, name, moved(config, _url(template)))
            _into_one_file(template)
            if kept is not None:
                _keep(template, kept, name)
        yield FileHome(
            database=_copied(config, template, Path(folder, "tests.sqlite3")),
            template=template,
            making=1,
            checks_deferred=_has_deferred(template),
        )


def _copied(config: Database, template: Path, file: Path) -> Database:
    shutil.copyfile(template, file)
    return moved(config, _url(file))


def _url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


def _into_one_file(file: Path) -> None:
    """Write what SQLite keeps beside a database into it."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _has_deferred(file: Path) -> bool:
    with contextlib.closing(sqlite3.connect(file)) as connection:
        found = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE sql LIKE '%INITIALLY DEFERRED%'"
        )
        return bool(found.fetchone()[0])


def _keep(template: Path, kept: Path, name: str) -> None:
    """Keep a template for the next session, in the place of older ones."""
    for stale in kept.parent.glob(f"{name}-*.sqlite3"):
        if stale != kept:
            stale.unlink(missing_ok=True)  # whoever uses it has a copy
    half = kept.with_suffix(f".{os.getpid()}")
    shutil.copyfile(template, half)
    half.replace(kept)
