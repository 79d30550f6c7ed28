"""Readiness waits for migrations, tells of it, and asks no database for long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from fastforge import Project
from fastforge.asgi import get_asgi_application
from fastforge.contrib.db import readiness
from fastforge.contrib.db.migrations.errors import MigrationsBehind
from fastforge.contrib.db.migrations.known import KnownMigrations
from fastforge.contrib.db.migrations.project import migration_engines, project_history
from fastforge.contrib.db.migrations.runner import migrate
from fastforge.contrib.db.readiness import MigrationWatch
from tests.folder import ProjectFolder, isolated

from .migrations.world import World, connected, execute

SETTINGS = """
    from fastforge.conf import App
    from fastforge.contrib.db import Database
    from fastforge.web import Health

    DATABASES = {{"default": Database(url={url!r}{fields})}}
    HEALTH = Health(cache_s=0, timeout_s=30)
    INSTALLED_APPS = ["fastforge.contrib.db", App("shop.orders")]
    """
MIGRATION = """
    revision = "orders.0001_one"
    down_revision = None
    depends_on = None

    def upgrade(op):
        op.execute("CREATE TABLE one (id integer)")
    """
LEDGER = "CREATE TABLE fastforge_migration (id VARCHAR(255) PRIMARY KEY, applied_at TIMESTAMP)"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write({"shop/orders/migrations/0001_one.py": MIGRATION})
        yield folder


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "CACHE_S", 0.0)


def load(
    shop: ProjectFolder, url: str, fields: str = "", environment: str = "production"
) -> Project:
    shop.write({"shop/settings.py": SETTINGS.format(url=url, fields=fields)})
    return shop.load(
        {"FASTFORGE_ENV": environment, "SECRET_KEY": "k8Zq1vN0yT-4sWbJm7RcXo2LhUfEa9Gd"}
    )


async def apply(project: Project) -> None:
    async with migration_engines(project) as engines:
        await migrate(engines, project_history(project))


@pytest.mark.usefixtures("impatient")
def test_a_process_is_ready_once_the_database_has_every_migration(
    shop: ProjectFolder, each_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    project = load(shop, each_database_url)
    caplog.set_level(logging.WARNING, "fastforge.contrib.db")
    with TestClient(get_asgi_application(project)) as client:
        for _ in range(2):
            answer = client.get("/readyz")
            assert answer.status_code == 503
            checks = answer.json()["checks"]
            assert checks["migration_watch"] == [{"status": "fail"}]
            assert checks["database"] == [{"status": "pass"}]
        assert client.get("/livez").status_code == 200
        asyncio.run(apply(project))
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "pass")
    said = [record.getMessage() for record in caplog.records if "ready" in record.getMessage()]
    assert said == ["not ready: the database 'default' lacks orders.0001_one"]


@pytest.mark.anyio
async def test_who_waits_for_what_migrate_refuses_is_told_why(
    tmp_path: Path, sqlite_url: str
) -> None:
    world = World(tmp_path)
    world.write("users", "0001_one", "def upgrade(op): pass")
    world.write("users", "0003_three", "", down_revision="users.0002_two")
    ids = {"users.0001_one", "users.0003_three"}
    known = KnownMigrations(
        ids=frozenset(ids), labels=frozenset({"users"}), folders=(world.folder("users"),)
    )
    async with connected(sqlite_url) as engines:
        with pytest.raises(MigrationsBehind) as told:
            await MigrationWatch({"default": engines}, known).check()
    assert told.value.message == (
        "the database 'default' lacks users.0001_one and 1 more, and migrate refuses:"
        " [db.E104] the migration requires 'users.0002_two', which does not exist"
    )
    assert told.value.hint == "bring 0002_two.py back into the migrations of 'users'"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("fields", "environment"),
    [(", ready_when_migrated=False", "production"), ("", "development")],
)
def test_the_setting_or_development_lets_a_process_be_ready_before(
    shop: ProjectFolder, sqlite_url: str, fields: str, environment: str
) -> None:
    project = load(shop, sqlite_url, fields, environment)
    with TestClient(get_asgi_application(project)) as client:
        assert client.get("/readyz").status_code == 200


@pytest.mark.anyio
async def test_who_is_behind_is_asked_once_in_a_while_and_who_is_not_never_again(
    each_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = KnownMigrations(ids=frozenset({"a.0001_x", "a.0002_y"}), labels=frozenset({"a"}))
    queries: list[str] = []
    async with connected(each_database_url) as engines:
        event.listen(
            engines.engine.sync_engine,
            "before_cursor_execute",
            lambda _c, _cursor, statement, *_: queries.append(statement),
        )
        watch = MigrationWatch({"default": engines}, known)
        for _ in range(3):
            with pytest.raises(MigrationsBehind, match=r"\[db.E155\].*lacks a.0001_x and 1 more"):
                await watch.check()
        assert len(queries) == 1
        await execute(
            engines, LEDGER, *(f"INSERT INTO fastforge_migration (id) VALUES ('{each}')"
                               for each in ("a.0001_x", "a.0002_y", "a.0003_newer"))
        )  # fmt: skip
        monkeypatch.setattr(readiness.time, "monotonic", lambda: float("inf"))
        queries.clear()
        await watch.check()
        assert len(queries) == 1
        await watch.check()
        assert len(queries) == 1
