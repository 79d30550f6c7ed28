"""The commands as a user types them: output and exit codes."""

from __future__ import annotations

import json

import pytest

from .shop import Shop

UNAPPLIED = """
import asyncio
from fastforge import Project
from fastforge.contrib.db.migrations.project import unapplied
from fastforge.contrib.db.resources import database
from fastforge.lifecycle import Role
from fastforge.management.cli import run

async def main():
    project = Project.load()
    async with project.running(Role.COMMAND) as container:
        print([item.id for item in await unapplied(project, container[database])])
        await asyncio.to_thread(run, ["migrate"])
        print([item.id for item in await unapplied(project, container[database])])

asyncio.run(main())
"""


def test_a_project_from_its_models_to_its_tables_and_back(
    shop: Shop, each_database_url: str
) -> None:
    shop.environ["DATABASE_URL"] = each_database_url
    told = shop.story(
        "makemigrations --check",
        "makemigrations",
        "makemigrations",
        "migrate --check",
        "migrate",
        "migrate",
        "migrate --check",
        "makemigrations --check",
        "showmigrations",
        "migrate blog zero",
        "showmigrations blog --json",
        "migrate --plan",
    )
    assert [code for code, _ in told] == [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    lines = [text.splitlines() for _, text in told]
    assert lines[0] == [
        "missing: shop/users/migrations/0001_initial.py",
        "missing: shop/blog/migrations/0001_initial.py",
    ]
    assert lines[1][1] == "written: shop/blog/migrations/0001_initial.py"
    assert lines[2] == lines[7] == ["No changes in the models."]
    assert lines[3] == ["apply users.0001_initial", "apply blog.0001_initial"]
    assert lines[4][0].startswith("applied: users.0001_initial (")
    assert lines[5] == lines[6] == ["Nothing to do."]
    assert lines[8] == ["users", " [X] 0001_initial", "blog", " [X] 0001_initial"]
    assert lines[9][0].startswith("taken back: blog.0001_initial (")
    assert json.loads(told[10][1]) == {
        "migrations": [
            {"app": "blog", "name": "0001_initial", "applied": False, "summary": "Initial."}
        ],
        "unknown": [],
    }
    assert lines[11] == ["apply blog.0001_initial"]


def test_a_change_goes_the_same_way(shop: Shop) -> None:
    shop.story("makemigrations", "migrate")
    shop.replace("shop/blog/models.py", "title: Mapped[str]\n", "title: Mapped[str | None]\n")
    told = shop.story("makemigrations --name loosen", "migrate", "migrate blog 1", "migrate")
    assert [code for code, _ in told] == [0, 0, 0, 0]
    assert "taken back: blog.0002_loosen" in told[2][1]
    assert shop.files("blog") == ["0001_initial.py", "0002_loosen.py"]


def test_a_refusal_is_one_line_with_the_models_place_and_writes_nothing(shop: Shop) -> None:
    shop.manage("makemigrations")
    shop.replace("shop/blog/models.py", "title: Mapped[str]\n", "headline: Mapped[str]\n")
    said = shop.manage("makemigrations", exit_code=2)
    assert said.startswith("error: [db.E110] shop/blog/models.py:")
    assert len(said.splitlines()) == 1
    assert shop.files("blog") == ["0001_initial.py"]
    assert "0002_rename_title" in shop.manage("makemigrations", "--renamed")
    assert (
        'new_column_name="headline"'
        in (shop.folder.path / "shop/blog/migrations/0002_rename_title.py").read_text()
    )


def test_a_denied_rename_still_needs_a_value_for_the_new_column(shop: Shop) -> None:
    shop.manage("makemigrations")
    shop.replace("shop/blog/models.py", "title: Mapped[str]\n", "headline: Mapped[str]\n")
    denied, both = shop.story(
        "makemigrations --not-renamed", "makemigrations --not-renamed --renamed"
    )
    assert (denied[0], both[0]) == (2, 2)
    assert "[db.E111]" in denied[1]
    assert "[db.E128]" in both[1]


def test_a_dry_run_and_an_empty_file(shop: Shop) -> None:
    dry, nobodys, empty = shop.story(
        "makemigrations users --dry-run",
        "makemigrations --empty",
        "makemigrations users --empty --name fill",
    )
    assert dry[1].startswith("# shop/users/migrations/0001_initial.py\n")
    assert "op.create_table(" in dry[1]
    assert nobodys[0] == 2
    assert "[db.E118]" in nobodys[1]
    assert empty[0] == 0
    assert shop.files("users") == ["0001_fill.py"]


def test_contrib_apps_bring_their_migrations_and_are_left_alone(shop: Shop) -> None:
    shop.replace("shop/settings.py", '"shop.users"', '"fastforge.contrib.jobs", "shop.users"')
    told = shop.story("makemigrations", "migrate", "makemigrations jobs --check")
    assert "jobs" not in told[0][1]
    assert "applied: jobs.0001_initial" in told[1][1]
    assert told[2] == (0, "No changes in the models.\n")


def test_unknown_names_come_with_a_suggestion(shop: Shop) -> None:
    told = shop.story(
        "makemigrations", "makemigrations blgo", "migrate blgo", "showmigrations blgo",
        "sqlmigrate blgo 1", "migrate blog 7",
    )  # fmt: skip
    assert [code for code, _ in told] == [0, 2, 2, 2, 2, 2]
    assert all("did you mean 'blog'?" in text for _, text in told[1:5])
    assert "[db.E108]" in told[5][1]


def test_a_database_that_cannot_be_reached_is_one_line(shop: Shop) -> None:
    shop.environ["DATABASE_URL"] = "postgresql+asyncpg://me:secret@127.0.0.1:1/shop"
    said = shop.manage("migrate", exit_code=3)
    assert "the database 127.0.0.1:1/shop cannot be reached" in said
    assert "secret" not in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("driver", ["sqlite", "postgresql"])
def test_sqlmigrate_prints_sql_and_asks_no_database(shop: Shop, driver: str) -> None:
    if driver == "postgresql":
        shop.environ["DATABASE_URL"] = "postgresql+psycopg://nobody@nowhere/shop"
    shop.manage("makemigrations")
    shop.replace("shop/users/models.py", "(unique=True)", "()")
    _, (_, first), (_, second), (_, back) = shop.story(
        "makemigrations --name loosen",
        "sqlmigrate users 1",
        "sqlmigrate users 0002_loosen",
        "sqlmigrate users 2 --backwards",
    )
    assert "CREATE TABLE users_user (" in first
    assert "INSERT INTO fastforge_migration (id) VALUES ('users.0001_initial');" in first
    if driver == "sqlite":
        assert "INSERT INTO _alembic_tmp_users_user" in second
    else:
        assert "ALTER TABLE users_user DROP CONSTRAINT uq_users_user_email;" in second
    assert "DELETE FROM fastforge_migration WHERE id = 'users.0002_loosen';" in back


def test_what_is_unapplied_is_known_to_a_running_project(
    shop: Shop, each_database_url: str
) -> None:
    shop.environ["DATABASE_URL"] = each_database_url
    shop.manage("makemigrations")
    lines = shop.script(UNAPPLIED).splitlines()
    assert lines[0] == "['users.0001_initial', 'blog.0001_initial']"
    assert lines[-1] == "[]"
