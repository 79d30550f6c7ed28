"""Isolation: hundreds of tests whose application commits, in any order, and none sees another."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.test.conftest import Suite

ROUTES = """
    from fastapi import APIRouter, HTTPException
    from sqlalchemy import func, select, text

    from fastforge.contrib.db import DbSession
    from fastforge.contrib.jobs.statements import JOB

    from .models import Note
    from .tasks import shout

    router = APIRouter()
    told: list[str] = []

    @router.get("/counts")
    async def counts(db: DbSession) -> dict[str, int]:
        return {
            "notes": await db.scalar(select(func.count()).select_from(Note)),
            "jobs": await db.scalar(select(func.count()).select_from(JOB)),
        }

    @router.post("/notes", status_code=201)
    async def add(text: str, db: DbSession) -> int:
        note = Note(text=text)
        db.add(note)
        await db.flush()
        await shout.enqueue(note_id=note.id)
        db.on_commit(lambda: told.append(text))
        return note.id

    @router.post("/commits", status_code=201)
    async def commit_half_way(text: str, db: DbSession) -> None:
        db.add(Note(text=f"{text} kept"))
        await db.commit()
        db.add(Note(text=f"{text} lost"))
        await db.flush()
        raise HTTPException(418)

    @router.get("/told")
    async def what_was_told() -> list[str]:
        return told
    """

TESTS = """
    import asyncio
    import os

    import pytest

    COUNT = int(os.environ["COUNT"])
    CLEAN = {"notes": 1, "jobs": 0}

    async def once(client):
        assert (await client.post("/notes", params={"text": "one"})).status_code == 201
        assert (await client.get("/told")).json()[-1] == "one"
        assert (await client.get("/counts")).json() == {"notes": 2, "jobs": 1}

    async def five_at_once(client):
        answers = await asyncio.gather(
            *(client.post("/notes", params={"text": f"{number}"}) for number in range(5))
        )
        assert [answer.status_code for answer in answers] == [201] * 5
        assert (await client.get("/counts")).json() == {"notes": 6, "jobs": 5}

    async def half_way(client):
        assert (await client.post("/commits", params={"text": "a"})).status_code == 418
        assert (await client.get("/counts")).json() == {"notes": 2, "jobs": 0}

    async def refused(client):
        assert (await client.post("/notes")).status_code == 422
        assert (await client.get("/counts")).json() == CLEAN

    KINDS = [once, five_at_once, half_way, refused]

    @pytest.mark.parametrize("number", range(COUNT))
    async def test_it_begins_clean_and_commits(client, number):
        assert (await client.get("/counts")).json() == CLEAN
        await KINDS[number % len(KINDS)](client)

    @pytest.mark.fastforge_db(transaction=True)
    @pytest.mark.parametrize("number", range(COUNT // 20))
    async def test_real_commits_are_cleaned_up_behind(client, number):
        assert (await client.get("/counts")).json() == CLEAN
        await KINDS[number % len(KINDS)](client)
    """

SHUFFLED = """
    import os
    import random

    def pytest_collection_modifyitems(items):
        random.Random(int(os.environ["SEED"])).shuffle(items)
    """

OPTIONS = ["-p", "no:asyncio", "-o", "anyio_mode=auto"]
TWO_WORKERS = ["-n", "2"]


def url_for(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite+aiosqlite:///{folder / 'db.sqlite3'}"
    name = {"asyncpg": "postgres_url", "psycopg": "postgres_psycopg_url"}[kind]
    url: str = request.getfixturevalue(name)
    return url


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("sqlite", 60),
        ("asyncpg", 60),
        pytest.param("sqlite", 500, marks=pytest.mark.long),
        pytest.param("asyncpg", 500, marks=pytest.mark.long),
        pytest.param("psycopg", 500, marks=pytest.mark.long),
    ],
)
def test_no_test_sees_what_another_has_committed(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str, count: int
) -> None:
    suite = Suite(tmp_path)
    suite.write(
        {
            "shop/notes/routes.py": ROUTES,
            "tests/conftest.py": SHUFFLED,
            "tests/test_many.py": TESTS,
        }
    )
    environ = {
        "DATABASE_URL": url_for(kind, request, tmp_path),
        "COUNT": str(count),
        "SEED": str(tmp_path.stat().st_mtime_ns),
    }
    done = suite.run(*OPTIONS, *TWO_WORKERS, env=environ)
    assert done.returncode == 0, f"SEED={environ['SEED']}\n{done.stdout}{done.stderr}"
    assert f"{count + count // 20} passed" in done.stdout


@pytest.mark.parametrize(
    "workers",
    [
        pytest.param([], id="alone"),
        pytest.param(TWO_WORKERS, id="two-workers", marks=pytest.mark.long),
    ],
)
def test_a_template_serves_the_next_session_until_a_migration_changes(
    tmp_path: Path, postgres_url: str, postgres_admin: psycopg.Connection, workers: list[str]
) -> None:
    suite = Suite(tmp_path)
    suite.write({"tests/test_one.py": "async def test_one(client): ..."})
    beginning = f"{urlsplit(postgres_url).path.strip('/')}_test_template_"

    def templates() -> dict[str, int]:
        found = postgres_admin.execute(
            "SELECT datname, oid::int FROM pg_database WHERE starts_with(datname, %s)", [beginning]
        )
        return dict(found.fetchall())

    def after(*options: str) -> dict[str, int]:
        done = suite.run(*OPTIONS, *options, env={"DATABASE_URL": postgres_url})
        assert done.returncode == 0, done.stdout + done.stderr
        return templates()

    first = after()
    assert len(first) == 1
    assert after() == first
    anew = after("--rebuild-databases", *workers)
    assert anew.keys() == first.keys()
    assert anew != first
    migration = tmp_path / "shop/notes/migrations/0001_initial.py"
    migration.write_text(migration.read_text().replace("of the migration", "of another"))
    changed = after()
    assert len(changed) == 1
    assert changed.keys() != first.keys()
