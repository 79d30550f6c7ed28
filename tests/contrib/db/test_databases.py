"""Several databases by name: their pools, replicas, and those that may be away."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fastforge.contrib.db import Database
from fastforge.contrib.db.errors import DatabaseError, ServerUnreachable, WriteOutsideAtomic
from fastforge.contrib.db.opening import DatabaseConnection, open_database
from fastforge.contrib.db.resources import (
    connection_of,
    database,
    database_gauges,
    databases,
)
from fastforge.exceptions import StartError
from fastforge.lifecycle import (
    BreakerOpen,
    BreakerState,
    Role,
    breaker_gauges,
    check_health,
    use_container,
)
from fastforge.project import Project
from fastforge.test.proxy import Proxy
from tests.folder import isolated
from tests.processes import wait_until_async

from .tables import Account, opened

ONE = text("SELECT 1")
SETTINGS = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db"]
    DATABASES = {
        "default": Database(url="sqlite+aiosqlite:///default.sqlite3"),
        "archive": Database(url=env("ARCHIVE_URL"), pool_size=2, statement_timeout_s=9),
    }
    """


def project_in(path: Path, url: str, settings: str = SETTINGS) -> Project:
    """A project whose second database has this URL."""
    with isolated(path) as folder:
        folder.write({"shop/settings.py": settings})
        return folder.load({"FASTFORGE_ENV": "test", "ARCHIVE_URL": url})


async def test_each_database_has_a_pool_of_its_own(tmp_path: Path, each_database_url: str) -> None:
    async with project_in(tmp_path, each_database_url).running(Role.COMMAND) as container:
        with use_container(container):
            archive = connection_of("archive")
            assert connection_of() is connection_of("default") is container[database]
            assert archive is container[databases]["archive"]
            assert archive.name == "archive"
            async with archive.session() as session:
                await session.scalar(ONE)
            gauges = database_gauges()
            assert {name: each.size for name, each in gauges.items()} == {
                "default": 5,
                "archive": 2,
            }
            assert gauges["archive"].uses.count == gauges["default"].uses.count + 1
            with pytest.raises(DatabaseError, match=r"db\.E040\].*no 'archiv'; did you mean"):
                connection_of("archiv")


async def test_the_server_sees_project_and_role_and_a_worker_waits_for_its_jobs(
    tmp_path: Path, each_postgres_url: str
) -> None:
    project = project_in(tmp_path, each_postgres_url)
    for role, limit in ((Role.WEB, "9s"), (Role.WORKER, "0")):
        async with project.running(role) as container:
            session = container[databases]["archive"].session()
            name = await session.scalar(text("SHOW application_name"))
            assert name.rpartition(":")[0] == f"shop:{role}"
            assert await session.scalar(text("SHOW statement_timeout")) == limit
            assert container[databases]["archive"].config.statement_timeout_s == 9


# --- replicas ------------------------------------------------------------------------------------


@pytest.fixture
async def replica(each_database_url: str) -> DatabaseConnection:
    """A database that is only read; it has the tables, as a copy of another has them."""
    async with opened(each_database_url):
        pass
    config = Database(url=each_database_url, read_only=True)
    return await open_database(config, root=Path.cwd(), environment="test")


async def test_a_replica_is_read_in_any_way(replica: DatabaseConnection) -> None:
    async with replica.session() as session:
        assert await session.get(Account, 1) is None
        async with session.atomic():
            assert list(await session.scalars(sa.select(Account))) == []
            async with session.atomic():
                assert await session.get(Account, 1) is None
        async with session.streaming(sa.select(Account)) as rows:
            assert [row async for row in rows] == []
    async with replica.engine.begin() as connection:
        assert await connection.scalar(ONE) == 1
    await replica.engine.dispose()


async def test_what_writes_to_a_replica_is_refused(replica: DatabaseConnection) -> None:
    refused = pytest.raises(DatabaseError, match=r"db\.E043\].*'default' is read only: INSERT INTO")
    with refused:
        async with replica.session() as session, session.atomic():
            session.add(Account(name="x"))
    with refused:
        async with replica.engine.begin() as connection:
            await connection.execute(sa.insert(Account).values(name="x"))
    with refused:
        await replica.session().execute(sa.insert(Account).values(name="x"))
    await replica.engine.dispose()


async def test_a_write_that_no_text_shows_is_refused_by_the_server(
    replica: DatabaseConnection,
) -> None:
    hidden = text("SELECT nextval('account_id_seq')")
    if replica.config.is_sqlite:
        async with replica.engine.connect() as connection:
            assert await connection.scalar(text("PRAGMA query_only")) == 1
    else:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await replica.session().execute(hidden)
    await replica.engine.dispose()


async def test_a_transaction_may_be_one_that_only_reads(db: DatabaseConnection) -> None:
    view = db.engines.transactions(read_only=True)
    assert view is db.engines.transactions(read_only=True)
    async with db.session() as session:
        session.guarded.enter(view)
        assert list(await session.scalars(sa.select(Account))) == []
        with pytest.raises(WriteOutsideAtomic, match=r"db\.E042\]"):
            await session.execute(sa.insert(Account).values(name="x"))
        await session.end(commit=False)


async def test_a_transaction_has_the_isolation_that_is_asked_for(
    postgres: DatabaseConnection,
) -> None:
    for isolation in ("read committed", "repeatable read", "serializable"):
        async with postgres.session() as session:
            session.guarded.enter(postgres.engines.transactions(isolation))  # type: ignore[arg-type]
            assert await session.scalar(text("SHOW transaction_isolation")) == isolation
            await session.end(commit=True)
    assert postgres.engines.transactions() is postgres.engines.write


# --- databases that may be away ------------------------------------------------------------------

OPTIONAL = SETTINGS.replace("pool_size=2", "required=False")


async def test_a_project_starts_without_a_database_that_is_not_required(
    tmp_path: Path, each_postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Proxy(each_postgres_url) as proxy:
        proxy.refuse()
        async with project_in(tmp_path, proxy.url, OPTIONAL).running(Role.COMMAND) as container:
            assert "going on without it, and trying it at each use: [db.E020]" in caplog.text
            with pytest.raises(ServerUnreachable):
                await container[databases]["archive"].session().scalar(ONE)
            assert [each.error for each in await check_health(container)] == ["", ""]
            proxy.heal()
            assert await container[databases]["archive"].session().scalar(ONE) == 1


async def test_a_silent_one_that_is_not_required_is_waited_for_a_few_times_and_then_no_more(
    tmp_path: Path, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = OPTIONAL.replace("required=False", "required=False, connect_timeout_s=0.2")
    with Proxy(postgres_url) as proxy:
        proxy.blackhole()
        async with project_in(tmp_path, proxy.url, settings).running(Role.WEB) as container:

            async def end() -> str:
                session = container[databases]["archive"].session()
                try:
                    await session.scalar(ONE)
                except (ServerUnreachable, BreakerOpen) as error:
                    return type(error).__name__
                finally:
                    await session.close()
                return "answered"

            ends = [await end() for _ in range(30)]
            assert ends[:5] == ["ServerUnreachable"] * 5
            assert ends.count("BreakerOpen") >= 20
            lines = [each for each in caplog.messages if "breaker 'database archive'" in each]
            assert len(lines) == 1
            assert breaker_gauges()["database archive"].state is not BreakerState.CLOSED
            proxy.heal()

            async def answers() -> bool:
                return await end() == "answered"

            await wait_until_async(answers)
            assert breaker_gauges()["database archive"].state is BreakerState.CLOSED


async def test_a_file_that_is_not_required_may_come_later(tmp_path: Path) -> None:
    url = "sqlite+aiosqlite:///later/archive.sqlite3"
    async with project_in(tmp_path, url, OPTIONAL).running(Role.COMMAND) as container:
        (tmp_path / "later").mkdir()
        assert await container[databases]["archive"].session().scalar(ONE) == 1


async def test_a_project_does_not_start_without_one_that_is(tmp_path: Path) -> None:
    project = project_in(
        tmp_path,
        "sqlite+aiosqlite:///missing/archive.sqlite3",
        f"{SETTINGS}SERVER = {{'start_deadline_s': 0}}",
    )
    with pytest.raises(StartError, match=r"db\.E020"):
        async with project.running(Role.COMMAND):
            pass
