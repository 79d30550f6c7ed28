"""The database of a test: as the migrations leave it, and never the one of the settings."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy import text

from fastforge import Project, Role
from fastforge.contrib.db.resources import database
from fastforge.exceptions import ForgeError, ResourceUnavailable
from fastforge.test.session import Session
from tests.folder import ProjectFolder, isolated

FILES = {
    "shop/settings.py": """
        from fastforge.conf import env

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.notes"]
        DATABASES = {"default": {"url": env("DATABASE_URL"), "pool_size": 2}}
        """,
    "shop/notes/migrations/0001_initial.py": """
        import sqlalchemy as sa

        revision = "notes.0001_initial"

        def upgrade(op):
            columns = [
                sa.Column("id", sa.Integer(), primary_key=True),
                sa.Column("text", sa.String(), nullable=False),
            ]
            notes = op.create_table("notes_note", *columns)
            op.bulk_insert(notes, [{"text": "of the migration"}])
        """,
}
MIGRATED = [(1, "of the migration")]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(FILES)
        yield folder


@contextmanager
def session_of(project: Project, worker: str = "main") -> Iterator[Session]:
    with ExitStack() as stack:
        yield Session(project, worker=worker, stack=stack)


def loaded(folder: ProjectFolder, url: str) -> Project:
    return folder.load({"FASTFORGE_ENV": "test", "DATABASE_URL": url})


async def notes(project: Project, *, add: str = "") -> list[Any]:
    async with project.running(Role.COMMAND) as container:
        session = container[database].session()
        if add:
            async with session.atomic():
                statement = text("INSERT INTO notes_note (text) VALUES (:text)")
                await session.execute(statement, {"text": add})
        rows = (await session.execute(text("SELECT id, text FROM notes_note ORDER BY id"))).all()
        await session.close()
    return [tuple(row) for row in rows]


async def three_tests(session: Session) -> list[list[Any]]:
    """What three tests see, of which the first writes a row."""
    seen = []
    for add in ("mine", "", ""):
        with ExitStack() as stack:
            seen.append(await notes(session.for_test(stack), add=add))
    return seen


# --- SQLite --------------------------------------------------------------------------------------


async def test_a_test_has_a_copy_of_a_migrated_file(folder: ProjectFolder) -> None:
    project = loaded(folder, "sqlite+aiosqlite:///db.sqlite3")
    with session_of(project) as session:
        assert await three_tests(session) == [[*MIGRATED, (2, "mine")], MIGRATED, MIGRATED]
    assert list(folder.path.glob("*.sqlite3*")) == []


def test_nothing_of_it_is_left(folder: ProjectFolder) -> None:
    with session_of(loaded(folder, "sqlite+aiosqlite:///db.sqlite3")) as session:
        with ExitStack() as stack:
            mine = session.for_test(stack).settings["DATABASES"]["default"]
            file = Path(mine.url.removeprefix("sqlite+aiosqlite:///"))
            assert file.exists()
            assert mine.pool_size == 2
        assert not file.exists()
        assert file.parents[1].exists()
    assert not file.parents[1].exists()


def test_a_file_that_is_there_stays_as_it_is(folder: ProjectFolder) -> None:
    file = folder.path / "db.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE precious (id INTEGER)")
    before = file.read_bytes()
    with session_of(loaded(folder, f"sqlite+aiosqlite:///{file}")) as session:
        for _ in range(2):
            with ExitStack() as stack:
                session.for_test(stack)
    assert file.read_bytes() == before
    assert [path.name for path in folder.path.glob("db.sqlite3*")] == ["db.sqlite3"]


# --- PostgreSQL ----------------------------------------------------------------------------------


def name_of(url: str) -> str:
    return urlsplit(url).path.strip("/")


def databases(admin: psycopg.Connection, beginning: str) -> dict[str, int]:
    """The databases whose names begin so, with what tells one from its successor."""
    rows = admin.execute(
        "SELECT datname, oid::int FROM pg_database WHERE starts_with(datname, %s)", [beginning]
    )
    return dict(rows.fetchall())


def templates(names: Iterable[str]) -> list[str]:
    return [name for name in names if "_test_template_" in name]


async def test_a_session_has_a_database_of_its_own_on_the_server(
    folder: ProjectFolder, each_postgres_url: str, postgres_admin: psycopg.Connection
) -> None:
    own = name_of(each_postgres_url)
    project = loaded(folder, each_postgres_url)
    # What a session that was killed has left.
    postgres_admin.execute(f"CREATE DATABASE {own}_test_gw1")
    with session_of(project, "gw1") as session:
        assert await three_tests(session) == [[*MIGRATED, (2, "mine")], MIGRATED, MIGRATED]
        there = databases(postgres_admin, own)
        assert there.keys() == {own, f"{own}_test_gw1", *templates(there)}
        assert len(templates(there)) == 1
    assert databases(postgres_admin, own).keys() == {own, *templates(there)}
    with pytest.raises(Exception, match="notes_note"):
        await notes(project)  # nobody has migrated it


async def test_rows_are_deleted_and_the_database_stays(
    folder: ProjectFolder, each_postgres_url: str, postgres_admin: psycopg.Connection
) -> None:
    own = f"{name_of(each_postgres_url)}_test_main"
    with session_of(loaded(folder, each_postgres_url)) as session:
        made = []
        for _ in range(2):
            assert await three_tests(session) == [[*MIGRATED, (2, "mine")], MIGRATED, MIGRATED]
            made.append(databases(postgres_admin, own)[own])
    assert made[0] == made[1]


async def test_two_sessions_at_once_do_not_meet(
    folder: ProjectFolder, postgres_psycopg_url: str, postgres_admin: psycopg.Connection
) -> None:
    own = name_of(postgres_psycopg_url)
    project = loaded(folder, postgres_psycopg_url)
    with session_of(project) as one, session_of(project) as two, ExitStack() as stack:
        first, second = one.for_test(stack), two.for_test(stack)
        assert await notes(first, add="mine") == [*MIGRATED, (2, "mine")]
        assert await notes(second) == MIGRATED
        there = databases(postgres_admin, own)
        assert f"{own}_test_main_2" in there
        assert len(templates(there)) == 1
    assert databases(postgres_admin, own).keys() == {own, *templates(there)}


def test_a_user_who_may_make_no_database_is_told_how(
    folder: ProjectFolder, postgres_url: str, postgres_admin: psycopg.Connection
) -> None:
    role = f"clerk_{os.getpid()}"
    postgres_admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'clerk'")
    parts = urlsplit(postgres_url)
    place = parts.netloc.rpartition("@")[2]
    url = urlunsplit(parts._replace(netloc=f"{role}:clerk@{place}"))
    refused = pytest.raises(ForgeError, match=r"\[db.E027\].*CREATEDB")
    try:
        with session_of(loaded(folder, url)) as session, ExitStack() as stack, refused:
            session.for_test(stack)
    finally:
        postgres_admin.execute(f"DROP ROLE {role}")


def test_a_server_that_is_away_is_asked_once(folder: ProjectFolder) -> None:
    project = loaded(folder, "postgresql+asyncpg://nobody@127.0.0.1:1/shop")
    with session_of(project) as session, ExitStack() as stack:
        with pytest.raises(ResourceUnavailable, match="nothing listens there") as first:
            session.for_test(stack)
        with pytest.raises(ResourceUnavailable) as second:
            session.for_test(stack)
    assert second.value is first.value
