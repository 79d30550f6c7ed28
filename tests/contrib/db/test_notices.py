"""A developer is told which migrations the files and the database do not share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from fastforge import Project, Role
from fastforge.contrib.db.migrations.errors import MigrationFileError
from fastforge.contrib.db.migrations.project import migration_engines, project_history
from fastforge.contrib.db.migrations.runner import migrate
from fastforge.lifecycle import read_notices
from tests.contrib.jobs.wire import Wire
from tests.folder import ProjectFolder, isolated
from tests.processes import run

SETTINGS = """
    from fastforge.conf import App
    from fastforge.contrib.db import Database

    DATABASES = {{"default": Database(url={url!r}, connect_timeout_s=5)}}
    INSTALLED_APPS = ["fastforge.contrib.db", App("shop.orders"), "shop.plain"]
    """
MIGRATION = """
    revision = "orders.{name}"
    down_revision = {previous!r}
    depends_on = None

    def upgrade(op):
        op.execute("CREATE TABLE t{name} (id integer)")
    """
READ = """
    import asyncio, sys
    from fastforge import Project, Role
    from fastforge.lifecycle import read_notices

    async def main():
        async with Project.load().running(Role.WEB) as container:
            print(await read_notices(container), "alembic" in sys.modules)

    asyncio.run(main())
    """


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[ProjectFolder]:
    with isolated(tmp_path) as folder:
        folder.write(
            {
                "pyproject.toml": '[tool.fastforge]\nsettings = "shop.settings"\n',
                "shop/settings.py": SETTINGS.format(url=sqlite_url),
                "shop/plain/models.py": "",
                "shop/orders/migrations/0001_one.py": MIGRATION.format(
                    name="0001_one", previous=None
                ),
                "shop/orders/migrations/0002_two.py": MIGRATION.format(
                    name="0002_two", previous="orders.0001_one"
                ),
                "shop/orders/migrations/helpers.py": "",
            }
        )
        yield folder


async def lines_of(project: Project) -> tuple[str, ...]:
    async with project.running(Role.WEB) as container:
        return await read_notices(container)


async def apply(project: Project) -> None:
    async with migration_engines(project) as engines:
        await migrate(engines, project_history(project))


async def test_what_waits_is_counted_and_what_is_done_is_silent(
    shop: ProjectFolder, each_database_url: str
) -> None:
    shop.write({"shop/settings.py": SETTINGS.format(url=each_database_url)})
    project = shop.load()
    assert await lines_of(project) == ("2 migrations are not applied: manage migrate",)
    await apply(project)
    assert await lines_of(project) == ()
    (shop.path / "shop/orders/migrations/0002_two.py").unlink()
    assert await lines_of(project) == (
        "the database is ahead of this code: it has orders.0002_two",
    )
    (shop.path / "shop/orders/migrations/0001_one.py").unlink()
    shop.write({"shop/orders/migrations/0001_other.py": ""})
    assert await lines_of(project) == (
        "1 migration is not applied: manage migrate",
        "the database is ahead of this code: it has orders.0001_one and 1 more",
    )


async def test_a_file_that_is_lost_in_the_middle_is_told_as_migrate_tells_it(
    shop: ProjectFolder,
) -> None:
    text = MIGRATION.format(name="0003_three", previous="orders.0002_two")
    shop.write({"shop/orders/migrations/0003_three.py": text})
    project = shop.load()
    (shop.path / "shop/orders/migrations/0002_two.py").rename(shop.path / "kept.py")
    with pytest.raises(MigrationFileError) as told:
        project_history(project)
    assert told.value.code == "db.E104"
    assert await lines_of(project) == (str(told.value),)
    (shop.path / "kept.py").rename(shop.path / "shop/orders/migrations/0002_two.py")
    await apply(project)
    (shop.path / "shop/orders/migrations/0002_two.py").unlink()
    assert await lines_of(project) == (str(told.value),)


async def test_a_database_that_went_away_is_a_line_without_its_password(
    shop: ProjectFolder, postgres_url: str
) -> None:
    address = urlsplit(postgres_url)
    with Wire("127.0.0.1", address.port or 5432) as wire:
        through = address._replace(netloc=address.netloc.replace(str(address.port), str(wire.port)))
        shop.write({"shop/settings.py": SETTINGS.format(url=urlunsplit(through))})
        async with shop.load().running(Role.WEB) as container:
            wire.cut()
            (line,) = await read_notices(container, timeout_s=30)
    assert line.startswith("unapplied_migrations is not known: the database 127.0.0.1:")
    assert (address.password or "") not in line


def test_reading_them_imports_no_alembic(shop: ProjectFolder) -> None:
    shop.write({"read.py": READ})
    done = run([sys.executable, "read.py"], cwd=shop.path)
    assert done.stdout == "('2 migrations are not applied: manage migrate',) False\n", done.stderr
