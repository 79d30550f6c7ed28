"""The fixtures in a pytest of their own, whichever plugin runs the tests."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.folder import ProjectFolder
from tests.processes import run, wait_until

from .conftest import Suite

if TYPE_CHECKING:
    from typing import LiteralString

    import psycopg

ANYIO = ["-p", "no:asyncio", "-o", "anyio_mode=auto"]
ASYNCIO = ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"]
BOTH = [*ASYNCIO, "-o", "anyio_mode=auto", "-W", "ignore:AnyIO auto mode"]
MARKED = ["-o", "asyncio_default_fixture_loop_scope=function", "-o", "anyio_mode=auto"]
ONE_LOOP = [
    *["-o", "asyncio_mode=auto", "-o", "asyncio_default_test_loop_scope=session"],
    *["-o", "asyncio_default_fixture_loop_scope=session"],
]
WORKERS = [*ANYIO, "-n", "2"]

TESTS = {
    "tests/conftest.py": """
        import pytest
        from shop.notes.resources import greeter

        @pytest.fixture
        def project(request, project):
            greeting = getattr(request, "param", "a stand-in")
            return project.overriding(resources={greeter: greeting})
        """,
    "tests/test_notes.py": """
        import asyncio
        from pathlib import Path

        import httpx
        import pytest
        from shop.notes.channels import Added, Notes

        MIGRATED = ["of the migration"]

        @pytest.mark.parametrize("number", [1, 2])
        async def test_each_test_has_a_database_as_the_migrations_leave_it(
            client, run_command, number
        ):
            assert (await client.get("/notes")).json() == MIGRATED
            assert (await client.post("/notes", params={"text": "hello"})).status_code == 201
            assert run_command("runworker", "--burst").exit_code == 0
            assert (await client.get("/notes")).json() == [*MIGRATED, "HELLO"]

        async def test_handlers_run_on_the_loop_of_the_test(client):
            assert (await client.get("/loop")).json() == id(asyncio.get_running_loop())
            assert client.base_url == "http://localhost"

        async def test_the_redefined_project_is_used(client, project):
            assert (await client.get("/greeting")).json() == "a stand-in"
            assert project.settings.environment == "test"
            assert len(project.settings["SECRET_KEY"]) >= 32

        @pytest.mark.settings(DEBUG=True, TASKS={"concurrency": 2})
        async def test_a_marker_gives_other_settings(client, project, run_command):
            assert project.settings.debug
            assert project.settings["TASKS"].concurrency == 2
            assert "overridden" in run_command("settings").output

        def test_a_plain_test_has_a_server(live_server):
            assert httpx.get(f"{live_server}/notes").json() == MIGRATED
            assert httpx.get(f"{live_server}/greeting").json() == "a stand-in"

        async def test_client_and_server_share_the_database(client, live_server):
            await client.post("/notes", params={"text": "hello"})
            async with httpx.AsyncClient() as http:
                assert (await http.get(f"{live_server}/notes")).json() == [*MIGRATED, "hello"]

        def test_a_plain_test_runs_commands(run_command):
            assert run_command("migrate", "--check").exit_code == 0
            wrong = run_command("migrat")
            assert (wrong.exit_code, "did you mean 'migrate'?" in wrong.error) == (2, True)

        @pytest.mark.parametrize("number", [1, 2])
        async def test_each_test_has_a_cache_that_client_and_server_share(
            client, live_server, cache, number
        ):
            assert (await client.get("/cached")).json() == 1
            async with httpx.AsyncClient() as http:
                assert (await http.get(f"{live_server}/cached")).json() == 2
            assert await cache.get("hits", type=int) == 2

        @pytest.mark.parametrize("number", [1, 2])
        async def test_a_page_hears_what_every_server_of_the_test_publishes(
            client, live_server, run_command, channels, jobs, number
        ):
            channels.assert_no_broadcast()
            ann = await channels.connect()
            await ann.join("notes")
            await client.post("/notes", params={"text": "one"})
            async with httpx.AsyncClient() as http:
                await http.post(f"{live_server}/notes", params={"text": "two"})
            message = '{"type": "added", "text": "three"}'
            assert run_command("channels", "publish", "notes", message).exit_code == 0
            await jobs.drain()
            for text in ("one", "two", "three", "ONE", "TWO"):
                assert (await ann.assert_push(Added)).text == text
                channels.assert_broadcast(Notes, Added(text=text))

        def test_a_plain_test_asks_what_a_server_has_published(live_server, channels):
            httpx.post(f"{live_server}/notes", params={"text": "hello"})
            assert channels.assert_broadcast(Notes, Added).text == "hello"
            channels.backend.disconnect()
            httpx.post(f"{live_server}/notes", params={"text": "unheard"})
            assert len(channels.broadcasts(Notes)) == 1

        def test_no_other_database_was_made():
            assert list(Path(__file__).parents[1].glob("*.sqlite3*")) == []
        """,
}


FIXTURE_OF_THE_USER = """
    import pytest

    @pytest.fixture
    async def with_note(client):
        await client.post("/notes", params={"text": "mine"})
        yield client
        assert (await client.get("/notes")).status_code == 200

    async def test_a_fixture_uses_the_client_before_and_after_the_test(with_note):
        assert "mine" in (await with_note.get("/notes")).json()
    """


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(ANYIO, id="anyio"),
        pytest.param(ASYNCIO, id="asyncio"),
        pytest.param(BOTH, id="both", marks=pytest.mark.long),
        pytest.param(MARKED, id="asyncio-installed", marks=pytest.mark.long),
        pytest.param(ONE_LOOP, id="one-loop"),
        pytest.param(WORKERS, id="xdist", marks=pytest.mark.long),  # as in `test_isolation`
    ],
)
def test_every_fixture_works_whoever_runs_the_tests(suite: Suite, options: list[str]) -> None:
    suite.write(TESTS)
    if options is not BOTH:  # there the two plugins take each other's async fixtures
        suite.write({"tests/test_fixture.py": FIXTURE_OF_THE_USER})
    done = suite.run(*options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{14 if options is BOTH else 15} passed" in done.stdout


def test_what_is_wrong_is_one_line_at_each_test(suite: Suite) -> None:
    suite.write(
        {
            "tests/test_wrong.py": """
            import pytest

            def test_without_a_loop(client): ...

            @pytest.mark.settings(TASKS={"concurency": 2})
            async def test_a_field_that_is_not_there(client): ...

            @pytest.mark.settings(DATABASES={"default": {"url": "sqlite+aiosqlite:///no/where.db"}})
            async def test_a_start_that_fails(client): ...
            """,
            "tests/test_trio.py": """
            import pytest

            @pytest.fixture
            def anyio_backend():
                return "trio"

            async def test_on_another_library(client): ...
            """,
        }
    )
    done = suite.run(*ANYIO, "--tb=short")
    assert done.returncode == 1
    assert "4 errors" in done.stdout
    assert "a project runs on asyncio, and this test on trio" in done.stdout
    assert 'set anyio_mode = "auto"' in done.stdout
    assert "[conf.E004] TASKS.concurency does not exist; did you mean 'concurrency'?" in done.stdout
    assert "[db.E020]" in done.stdout
    assert "Traceback" not in done.stdout
    assert "fixtures.py" not in done.stdout


def test_settings_and_migrations_that_fail_are_one_line_too(suite: Suite) -> None:
    suite.write({"tests/test_none.py": "def test_none(project): ..."})
    migration = suite.path / "shop/notes/migrations/0001_initial.py"
    migration.write_text(migration.read_text().replace("notes = op", "op.nonsense\n    notes = op"))
    done = suite.run(*ANYIO)
    assert "[db.E122] shop/notes/migrations/0001_initial.py:6: cannot apply" in done.stdout
    suite.write({"shop/settings.py": 'INSTALLED_APPS = ["shop.nots"]\n'})
    done = suite.run(*ANYIO)
    assert "[apps.E002] shop/settings.py:1: " in done.stdout
    assert "did you mean 'shop.notes'?" in done.stdout
    assert "fixtures.py" not in done.stdout


def test_ctrl_c_in_the_code_of_a_test_ends_with_the_summary_alone(suite: Suite) -> None:
    suite.write(
        {
            "tests/test_interrupted.py": """
            import signal

            async def test_interrupted(client):
                assert (await client.get("/notes")).status_code == 200
                signal.raise_signal(signal.SIGINT)
            """
        }
    )
    done = suite.run(*ANYIO)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "test_interrupted.py:" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "never retrieved" not in done.stderr


def test_what_a_killed_session_has_left_is_replaced(
    suite: Suite, postgres_url: str, postgres_admin: psycopg.Connection
) -> None:
    suite.write(
        {
            "tests/test_killed.py": """
            import os
            import signal

            async def test_killed(client):
                assert (await client.get("/notes")).json() == ["of the migration"]
                if "KILLED" in os.environ:
                    await client.post("/notes", params={"text": "left"})
                    os.kill(os.getpid(), signal.SIGKILL)
            """
        }
    )
    own = urlsplit(postgres_url).path.strip("/")

    def count(of: LiteralString) -> int:
        row = postgres_admin.execute(of, [own]).fetchone()
        return int(row[0]) if row else 0

    there = "SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)"
    connected = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND %s <> ''"
    environ = {"DATABASE_URL": postgres_url}
    assert suite.run(*ANYIO, env={**environ, "KILLED": "1"}).returncode == -signal.SIGKILL
    wait_until(lambda: count(connected) == 0)
    assert count(there) == 3
    done = suite.run(*ANYIO, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert count(there) == 2  # the template is for the next session


def test_elsewhere_the_plugin_brings_nothing(tmp_path: Path) -> None:
    """Other plugins' fixtures of the same names stay, nothing is imported, nothing is set."""
    folder = ProjectFolder(tmp_path)
    folder.write(
        {
            "pyproject.toml": "[project]\nname = 'other'\ndescription = 'after fastforge'\n",
            "other_plugin.py": """
                import pytest

                @pytest.fixture
                def client():
                    return "theirs"
                """,
            "test_other.py": """
                import os
                import sys

                def test_other(client, request):
                    assert client == "theirs"
                    heavy = {"pydantic", "fastapi", "httpx", "sqlalchemy", "fastforge.project"}
                    assert not heavy & set(sys.modules)
                    assert "FASTFORGE_ENV" not in os.environ
                    assert request.config.pluginmanager.has_plugin("fastforge")
                """,
        }
    )
    argv = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:asyncio"]
    done = run([*argv, "-p", "other_plugin"], cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = run([*argv, "--fixtures"], cwd=tmp_path)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert "run_command" not in listed.stdout


def test_the_fixtures_may_be_asked_for_without_a_project_table(suite: Suite) -> None:
    suite.write(
        {
            "pyproject.toml": "[tool.pytest.ini_options]\nanyio_mode = 'auto'\n",
            "tests/conftest.py": """
                import pytest
                from fastforge import Project

                @pytest.fixture
                def project():
                    return Project.load("shop.settings")
                """,
            "shop/settings.py": "",
            "tests/test_it.py": """
                async def test_it(client):
                    assert (await client.get("/nowhere")).status_code == 404
                """,
        }
    )
    done = suite.run("-p", "no:asyncio", "-p", "fastforge.test.fixtures")
    assert done.returncode == 0, done.stdout + done.stderr
