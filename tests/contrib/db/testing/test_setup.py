"""Set-up: which tests commit, which databases they have, and what is told where that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test.conftest import Suite

SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    SECRET_KEY = env.secret("SECRET_KEY")
    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.notes"]
    _URL = env("DATABASE_URL")
    _OTHER = env("OTHER_URL")
    DATABASES = {
        "default": Database(url=_URL, pool_timeout_s=1),
        "archive": Database(url=_OTHER),
        "replica": Database(url=_URL + "_replica", read_only=True),
    }
    """

TESTS = """
    import asyncio

    import anyio
    import httpx
    import pytest
    from sqlalchemy import select, text

    from fastforge import Role
    from fastforge.contrib.db import atomic, session
    from fastforge.contrib.db.resources import connection_of, database, databases
    from fastforge.contrib.db.testing import assert_num_queries
    from fastforge.exceptions import ForgeError
    from fastforge.test import live_server as served
    from fastforge.test import run_command as run
    from shop.notes.models import Note

    MIGRATED = ["of the migration"]
    loops = set()

    async def texts(connection):
        db = connection.session()
        found = list(await db.scalars(select(Note.text).order_by(Note.id)))
        await db.close()
        return found

    async def add(connection, text):
        db = connection.session()
        async with db.atomic():
            db.add(Note(text=text))
        await db.close()

    @pytest.mark.parametrize("number", [1, 2])
    async def test_each_database_is_its_own_and_a_replica_shows_the_default(project, number):
        for _ in range(2):  # what one start of the project commits the next one sees
            async with project.running(Role.COMMAND) as container:
                others = container[databases]
                seen = [await texts(others[name]) for name in ("default", "archive", "replica")]
                await add(others["default"], "a")
                await add(others["archive"], "b")
                with pytest.raises(ForgeError, match="read"):
                    await add(others["replica"], "c")
        assert seen == [[*MIGRATED, "a"], [*MIGRATED, "b"], [*MIGRATED, "a"]]

    @pytest.mark.parametrize("number", [1, 2])
    @pytest.mark.fastforge_db(transaction=True)
    async def test_the_same_with_real_commits(project, number):
        async with project.running(Role.COMMAND) as container:
            others = container[databases]
            await add(others["default"], "a")
            await add(others["archive"], "b")
            assert [await texts(each) for each in others.values()] == [
                [*MIGRATED, "a"], [*MIGRATED, "b"], [*MIGRATED, "a"]
            ]
            async with others["default"].session() as one, one.atomic():
                one.add(Note(text="not yet"))
                await one.flush()
                assert await texts(others["default"]) == [*MIGRATED, "a"]

    async def test_queries_are_counted_without_what_isolates(client):
        with assert_num_queries(1):
            await client.get("/notes")
        with assert_num_queries(2):
            await client.post("/notes", params={"text": "a"})

    async def test_the_engine_is_inside_too(project):
        async with project.running(Role.COMMAND) as container:
            async with container[database].engine.begin() as raw:
                await raw.execute(text("INSERT INTO notes_note (text) VALUES ('raw')"))
            assert await texts(container[database]) == [*MIGRATED, "raw"]

    async def test_other_threads_and_workers_are_told_what_to_do(project, request):
        wanted = r"\\[db.E092\\].*transaction=True"
        with pytest.raises(ForgeError, match=wanted), served(project):
            pass
        done = run(project, "runworker", "--burst")
        assert done.exit_code and "db.E092" in done.error or "db.E094" in done.error
        with pytest.raises(ForgeError, match=r"\\[db.E094\\].*transaction=True"):
            async with project.running(Role.WORKER):
                pass

    async def test_a_call_from_inside_a_block_is_told_what_to_do(client, project):
        async with project.running(Role.COMMAND) as container:
            async with container[database].session() as db, db.atomic():
                db.add(Note(text="held"))
                await db.flush()
                with pytest.raises(ForgeError, match=r"\\[db.E090\\].*transaction=True"):
                    await client.get("/notes")

    @pytest.mark.parametrize("number", [1, 2])
    async def test_all_run_on_one_loop(number):
        loops.add(id(asyncio.get_running_loop()))
        assert len(loops) == 1

    def test_a_plain_test_between_them_has_none():
        async def nothing():
            return 3

        assert anyio.run(nothing) == asyncio.run(nothing()) == 3

    @pytest.mark.settings(DATABASES={"default": {"url": "sqlite+aiosqlite:///mine.sqlite3"}})
    async def test_a_database_of_its_own_is_not_touched(project, tmp_path):
        async with project.running(Role.COMMAND) as container:
            assert "mine.sqlite3" in str(container[database].engine.url)
    """


def urls(kind: str, request: pytest.FixtureRequest, folder: Path) -> dict[str, str]:
    other = f"sqlite+aiosqlite:///{folder / 'other.sqlite3'}"
    if kind == "sqlite":
        return {"DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'db.sqlite3'}", "OTHER_URL": other}
    name = {"asyncpg": "postgres_url", "psycopg": "postgres_psycopg_url"}[kind]
    url = request.getfixturevalue(name)
    return {"DATABASE_URL": url, "OTHER_URL": f"{url}_archive" if kind == "asyncpg" else other}


@pytest.mark.parametrize("kind", ["sqlite", "asyncpg", "psycopg"])
def test_each_test_has_what_it_needs(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    suite = Suite(tmp_path)
    suite.write({"shop/settings.py": SETTINGS, "tests/test_setup.py": TESTS})
    done = suite.run("-p", "no:asyncio", "-o", "anyio_mode=auto", env=urls(kind, request, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 passed" in done.stdout
    assert not list(tmp_path.glob("db.sqlite3*"))


def test_a_marker_that_cannot_be_is_one_line(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    suite.write(
        {
            "tests/test_wrong.py": """
            import pytest

            @pytest.mark.fastforge_db(transactional=True)
            async def test_unknown(client): ...

            @pytest.mark.fastforge_db(transaction="yes")
            async def test_no_bool(client): ...

            @pytest.mark.fastforge_db(transaction=False)
            def test_with_a_server(live_server): ...

            @pytest.mark.fastforge_db(transaction=False)
            def test_without_a_loop(project): ...
            """
        }
    )
    done = suite.run("-p", "no:asyncio", "-o", "anyio_mode=auto", "--tb=short")
    assert "4 errors" in done.stdout
    assert "[test.E007]" in done.stdout
    assert "does not know 'transactional'; write" in done.stdout
    assert "does not know 'yes'" in done.stdout
    assert "[test.E008] the test wants no real commits, and live_server sees" in done.stdout
    assert "no event loop sees" in done.stdout
    assert "Traceback" not in done.stdout
