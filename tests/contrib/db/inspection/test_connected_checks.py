"""`manage check --database`: what the databases themselves say of the settings."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from fastforge import Project
from fastforge.checks import run_checks
from fastforge.contrib.db.migrations.project import migration_engines, project_history
from fastforge.contrib.db.migrations.runner import migrate
from fastforge.test.commands import run_command
from fastforge.test.proxy import Proxy
from tests import services
from tests.conftest import with_driver
from tests.folder import ProjectFolder, isolated
from tests.processes import wait_until

Find = Callable[..., list[str]]

JOBS = """
    from fastforge import task

    @task
    async def send() -> None:
        \"\"\"Send it.\"\"\"
    """
MIGRATION = """
    revision = "mail.{name}"
    down_revision = {previous}
    depends_on = None

    def upgrade(op):
        pass

    def downgrade(op):
        pass
    """
_numbers = itertools.count()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        yield folder


@pytest.fixture
def find(folder: ProjectFolder) -> Find:
    """Write a project with these databases, and return what the checks find."""

    def find(
        databases: dict[str, str], *, server: int = 1, worker: int = 1, tasks: str = JOBS
    ) -> list[str]:
        entries = ", ".join(f"{name!r}: Database({each})" for name, each in databases.items())
        folder.write(
            {
                "shop/settings.py": f"""
                    from fastforge.contrib.db import Database

                    INSTALLED_APPS = ["fastforge.contrib.db", "fastforge.contrib.jobs", "shop.mail"]
                    DATABASES = {{{entries}}}
                    SERVER = {{"processes": {server}}}
                    TASKS = {{"processes": {worker}}}
                    """,
                "shop/mail/tasks.py": tasks,
            }
        )
        found = run_checks(folder.load(), connecting=["database"], tags=["database"])
        return [str(message) for message in found]

    return find


def ids(found: list[str]) -> list[str]:
    return [re.findall(r"\[(\S+)\]", line)[0] for line in found]


def one(found: list[str], code: str) -> str:
    (line,) = [line for line in found if f"[{code}]" in line]
    return line


@pytest.fixture
def role(postgres_dsn: str, postgres_admin: psycopg.Connection) -> Iterator[Callable[[str], str]]:
    """Make a user with some attributes; return the URL by which it comes to the test's database."""
    made = []

    def role(attributes: str = "") -> str:
        name = f"role_{os.getpid()}_{next(_numbers)}"
        postgres_admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'pw' {attributes}")
        made.append(name)
        parts = urlsplit(postgres_dsn)
        return parts._replace(netloc=f"{name}:pw@{parts.hostname}:{parts.port}").geturl()

    yield role
    for name in made:
        postgres_admin.execute(f"DROP ROLE {name}")


def test_a_server_says_what_it_is_and_that_the_pools_fit(
    find: Find, each_postgres_url: str
) -> None:
    found = find({"default": f"url={each_postgres_url!r}"})
    assert ids(found) == ["db.W015", "db.I010", "db.I012"]
    driver = "asyncpg" if "asyncpg" in each_postgres_url else "psycopg"
    place = re.escape(each_postgres_url.rpartition("@")[2])
    assert re.search(rf"default: PostgreSQL \d+\S* through {driver} \d\S+, {place}$", found[1])
    assert re.search(
        r"the connections suffice: 1 server x \(pool_size 5 \+ max_overflow 0\) \+ 1 worker x"
        r" \(pool_size 5 \+ max_overflow 0 \+ jobs 4\) = 14 connections, and the server has \d+ for"
        r" them: max_connections \d+( - \d+ that others have now)?$",
        found[2],
    )
    assert re.search(
        r"settings\.py:4: default: 1 migration is not applied: jobs\.0001_initial; run: manage"
        r" migrate$",
        found[0],
    )


def test_the_processes_of_isolated_jobs_count_as_workers(
    find: Find, each_postgres_url: str
) -> None:
    tasks = """
        from fastforge import task

        @task(isolate=True)
        def render() -> None: ...
        """
    found = find({"default": f"url={each_postgres_url!r}, pool_size=1"}, tasks=tasks)
    assert " + 3 workers x (pool_size 1 " in one(found, "db.I012")


def test_pools_that_are_larger_than_the_server_are_an_error_with_the_sum(
    find: Find, each_postgres_url: str
) -> None:
    options = f"url={each_postgres_url!r}, pool_size=10, max_overflow=20"
    message = one(find({"default": options}, server=9, worker=3), "db.E071")
    assert message.startswith("error [db.E071] ")
    assert (
        "too many connections: 9 servers x (pool_size 10 + max_overflow 20) + 3 workers x"
        " (pool_size 10 + max_overflow 20 + jobs 4) = 372 connections, and the server has "
    ) in message
    assert message.endswith(
        "; lower pool_size, run fewer processes, put a pooler in between, or raise the limit"
    )


def test_pools_that_fit_only_once_are_a_warning(find: Find, role: Callable[[str], str]) -> None:
    url = with_driver(role("CONNECTION LIMIT 20"), "asyncpg")
    message = one(find({"default": f"url={url!r}"}), "db.W010")
    assert "28 for the processes of both: 1 server x (" in message
    assert "has 20 for them: its CONNECTION LIMIT 20; lower" in message


def test_the_limit_of_a_user_and_the_databases_that_share_it_count(
    find: Find, role: Callable[[str], str], postgres_server: str
) -> None:
    url = with_driver(role("CONNECTION LIMIT 12"), "asyncpg")
    other = url.rpartition("/")[0] + "/postgres"
    databases = {"default": f"url={url!r}, pool_size=3", "archive": f"url={other!r}, pool_size=2"}
    message = one(find(databases, worker=2), "db.E071")
    assert (
        "1 server x (default pool_size 3 + max_overflow 0 + archive pool_size 2 + max_overflow 0)"
        " + 2 workers x (default pool_size 3 + max_overflow 0 + archive pool_size 2 + max_overflow"
        " 0 + jobs 4) = 23 connections, and the user role_"
    ) in message


def test_what_is_kept_for_superusers_is_not_there_for_others(
    find: Find, role: Callable[[str], str]
) -> None:
    url = with_driver(role(""), "psycopg")
    message = one(find({"default": f"url={url!r}"}, server=1000), "db.E071")
    total, kept = map(int, re.findall(r"max_connections (\d+) - (\d+) reserved", message)[0])
    others = int((re.findall(r"- (\d+) that others have", message) or ["0"])[0])
    assert f"and the server has {total - kept - others} for them" in message


def test_the_limit_of_a_database_counts(
    find: Find, role: Callable[[str], str], postgres_admin: psycopg.Connection
) -> None:
    url = role("")
    name = urlsplit(url).path[1:]
    postgres_admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 9")
    found = find({"default": f"url={with_driver(url, 'asyncpg')!r}"})
    assert f"and the database {name} has 9 for them" in one(found, "db.E071")


def test_sessions_of_others_are_taken_off_and_those_of_the_project_are_not(
    find: Find, role: Callable[[str], str]
) -> None:
    url = role("CONNECTION LIMIT 50")
    own = f"{url}?application_name=shop:web:1"
    with psycopg.connect(url), psycopg.connect(url), psycopg.connect(own):
        found = find({"default": f"url={with_driver(url, 'asyncpg')!r}"})
    (message,) = [line for line in found if "the user role_" in line]
    assert "has 48 for them: its CONNECTION LIMIT 50 - 2 that others have now" in message


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_server_that_does_not_answer_is_one_message(find: Find, driver: str) -> None:
    port = services.free_port()
    (message,) = find({"default": f"url='postgresql+{driver}://u:hidden@127.0.0.1:{port}/n'"})
    assert re.search(
        r"^error \[db\.E070\] \S+settings\.py:4: default: the database"
        rf" 127\.0\.0\.1:{port}/n cannot be reached: nothing listens there; ",
        message,
    )
    assert "hidden" not in message


def test_the_others_are_asked_where_one_does_not_answer(find: Find, postgres_url: str) -> None:
    dead = f"url='postgresql+asyncpg://u@127.0.0.1:{services.free_port()}/n', required=False"
    found = find({"default": f"url={postgres_url!r}", "dead": dead})
    assert "dead: the database" in one(found, "db.E070")
    assert "default: PostgreSQL" in one(found, "db.I010")


def test_databases_are_asked_side_by_side(find: Find, postgres_url: str) -> None:
    """Else those that do not answer would be waited for one after the other."""
    with Proxy(postgres_url) as proxy:
        proxy.blackhole()

        def heal() -> None:
            wait_until(lambda: proxy.open_connections == 2, describe="two connections")
            proxy.heal()

        healing = threading.Thread(target=heal)
        healing.start()
        section = f"url={proxy.url!r}, connect_timeout_s=60"
        found = find({"default": section, "archive": section})
        healing.join()
    assert ids(found).count("db.I010") == 2


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_right_that_the_user_lacks_is_named(
    find: Find, role: Callable[[str], str], postgres_dsn: str, driver: str
) -> None:
    url = role("")
    with psycopg.connect(postgres_dsn, autocommit=True) as admin:
        admin.execute("CREATE TABLE fastforge_migration (id text)")
    message = one(find({"default": f"url={with_driver(url, driver)!r}"}), "db.E070")
    assert "permission denied for table fastforge_migration; GRANT it to the user" in message


def test_a_server_that_lets_nobody_write(
    find: Find,
    role: Callable[[str], str],
    postgres_admin: psycopg.Connection,
) -> None:
    url = role("")
    name = urlsplit(url).username
    postgres_admin.execute(f"ALTER ROLE {name} SET default_transaction_read_only = on")
    writable, only_read = (
        f"url={with_driver(url, 'asyncpg')!r}{more}" for more in ("", ", read_only=True")
    )
    assert "nothing can be written there" in one(find({"default": writable}), "db.E072")
    assert "db.E072" not in ids(find({"default": writable, "copy": only_read}))[1:]


def test_a_server_that_closes_idle_connections_before_the_pool_does(
    find: Find, role: Callable[[str], str], postgres_admin: psycopg.Connection
) -> None:
    url = role("")
    name = urlsplit(url).username
    postgres_admin.execute(f"ALTER ROLE {name} SET idle_session_timeout = '5min'")
    options = f"url={with_driver(url, 'psycopg')!r}"
    message = one(find({"default": options}), "db.W014")
    assert "idle for 300 s (idle_session_timeout, by user), sooner than the pool" in message
    assert "db.W014" not in ids(find({"default": f"{options}, pool_recycle_s=200"}))


@pytest.fixture(scope="module")
def pooler(postgres_server: str) -> Iterator[str]:
    server = services.start("pgbouncer", postgres_server)
    yield server.url
    server.close()


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
def test_a_pooler_is_known_by_what_it_does(
    find: Find, pooler: str, postgres_server: str, driver: str
) -> None:
    url = with_driver(pooler, driver)
    (message,) = find({"default": f"url={url!r}"})
    assert "a pooler answers there" in message
    assert message.endswith("; write Database(..., pooler='transaction', direct_url=...)")
    declared = f"url={url!r}, pooler='transaction'"
    found = find({"default": declared})
    assert "it has a pooler and no direct_url" in one(found, "db.W012")
    # The server's budget is the pooler's, and its time limits hold in each transaction.
    assert ids(found) == ["db.W012", "db.W015", "db.I010"]
    direct = with_driver(postgres_server, driver)
    assert "db.W012" not in ids(find({"default": f"{declared}, direct_url={direct!r}"}))


def test_a_pooler_that_is_none(find: Find, postgres_url: str) -> None:
    declared = f"url={postgres_url!r}, pooler='transaction', direct_url={postgres_url!r}"
    assert "is no pooler" in one(find({"default": declared}), "db.I011")


# --- migrations ----------------------------------------------------------------------------------


NAMES = ("0001_first", "0002_second", "0003_third", "0004_fourth")


def test_migrations_that_one_side_alone_has(
    find: Find, folder: ProjectFolder, each_database_url: str
) -> None:
    for previous, name in zip((None, *NAMES), NAMES, strict=False):
        before = repr(previous and f"mail.{previous}")
        text = MIGRATION.format(name=name, previous=before)
        folder.write({f"shop/mail/migrations/{name}.py": text})
    databases = {"default": f"url={each_database_url!r}"}
    if "sqlite" in each_database_url:
        Path(each_database_url.partition("///")[2]).touch()
    unapplied = one(find(databases), "db.W015")
    assert "default: 5 migrations are not applied: jobs.0001_initial, mail.0001_first," in unapplied
    assert unapplied.endswith(" and 2 more; run: manage migrate")
    asyncio.run(apply_all(folder.load()))
    assert "db.W015" not in ids(find(databases))
    (folder.path / "shop/mail/migrations/0004_fourth.py").unlink()
    ahead = one(find(databases), "db.E073")
    assert "default: the database is ahead of this code: it has mail.0004_fourth; " in ahead
    (folder.path / "shop/mail/migrations/0002_second.py").unlink()
    lost = one(find(databases), "db.E073")
    assert "default: migrate refuses: [db.E104] " in lost
    assert "shop/mail/migrations/0003_third.py:1: the migration requires" in lost
    assert lost.endswith("bring 0002_second.py back into the migrations of 'mail'")


async def apply_all(project: Project) -> None:
    async with migration_engines(project) as engines:
        await migrate(engines, project_history(project))


def test_two_last_migrations_are_found_without_a_connection(
    find: Find, folder: ProjectFolder, sqlite_url: str
) -> None:
    for name in ("0001_one", "0001_other"):
        text = MIGRATION.format(name=name, previous=None)
        folder.write({f"shop/mail/migrations/{name}.py": text})
    find({"default": f"url={sqlite_url!r}"})
    (found,) = [str(each) for each in run_checks(folder.load(), tags=["migrations"])]
    assert found.startswith("error [db.E075] ")
    assert "shop/mail/migrations/0001_other.py:1: the app 'mail' has 2 last migrations" in found
    assert "0001_one.py and 0001_other.py; " in found


# --- files ---------------------------------------------------------------------------------------


def test_a_file_that_is_not_there_is_not_made(find: Find, tmp_path: Path) -> None:
    found = find({"default": "url='sqlite+aiosqlite:///shop.sqlite3'"})
    path = tmp_path / "shop.sqlite3"
    assert f"default: {path}: there is no such file yet; run: manage migrate" in one(
        found, "db.W016"
    )
    assert not path.exists()


def test_a_file_says_what_it_is(find: Find, sqlite_url: str) -> None:
    path = Path(sqlite_url.partition("///")[2])
    path.touch()
    found = find({"default": f"url={sqlite_url!r}"})
    assert re.search(rf"default: SQLite 3\S+ through aiosqlite \S+, {path}$", one(found, "db.I010"))
    # It is in pytest's folder below that for temporary files.
    assert ids(found) == ["db.W015", "db.W018", "db.I010"]
    assert "it is in the folder for temporary files, which is emptied" in one(found, "db.W018")


def test_a_file_in_a_folder_that_does_not_exist_is_one_message(find: Find) -> None:
    found = find({"default": "url='sqlite+aiosqlite:////nowhere/at/all.sqlite3'"})
    assert "/nowhere/at/all.sqlite3: there is no such file yet" in one(found, "db.W016")


def test_a_file_that_is_no_database_is_one_message(find: Find, sqlite_url: str) -> None:
    Path(sqlite_url.partition("///")[2]).write_bytes(b"a letter to nobody, long enough" * 9)
    (message,) = find({"default": f"url={sqlite_url!r}"})
    assert "cannot be reached: the file holds something else" in message


# --- the command ---------------------------------------------------------------------------------


def test_nothing_connects_without_the_option(find: Find, folder: ProjectFolder) -> None:
    dead = f"url='postgresql+asyncpg://u@127.0.0.1:{services.free_port()}/n'"
    assert ids(find({"default": dead})) == ["db.E070"]
    assert list(run_checks(folder.load(), tags=["database"])) == []


def test_the_command_and_its_option(find: Find, folder: ProjectFolder) -> None:
    find({"default": f"url='postgresql+asyncpg://u@127.0.0.1:{services.free_port()}/n'"})
    project = folder.load()
    plain = run_command(project, "check", "--tag", "database")
    assert (plain.exit_code, plain.output) == (0, "no problems\n")
    asked = run_command(project, "check", "--tag", "database", "--database")
    assert asked.exit_code == 1
    assert re.match(r"error \[db\.E070\] \S+settings\.py:4: default: ", asked.output)
    assert asked.output.endswith("\n1 error\n")
    assert asked.error == ""


def test_the_list_of_checks_says_which_connect(find: Find, folder: ProjectFolder) -> None:
    find({"default": "url='sqlite+aiosqlite:///x.sqlite3'"})
    listed = run_command(folder.load(), "check", "--list").output
    assert re.search(r"connections_are_enough +db +database +with --database ", listed)


async def test_a_test_may_run_the_command(
    find: Find, folder: ProjectFolder, postgres_url: str
) -> None:
    await asyncio.to_thread(find, {"default": f"url={postgres_url!r}"})
    asked = run_command(folder.load(), "check", "--database", "--tag", "database")
    assert (asked.exit_code, asked.error) == (0, "")
    assert "default: PostgreSQL" in asked.output
