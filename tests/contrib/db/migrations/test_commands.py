"""The commands as a user types them: output, exit codes, and five of them at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.folder import ProjectFolder, isolated
from tests.processes import Process, run, start

SHOP = {
    "shop/settings.py": """
        from fastforge.conf import env
        from fastforge.contrib.db import Database

        INSTALLED_APPS = ["fastforge.contrib.db", "shop.users", "shop.blog"]
        DATABASES = {
            "default": Database(url=env("DATABASE_URL", default="sqlite+aiosqlite:///db.sqlite3"))
        }
        """,
    "shop/users/models.py": """
        from sqlalchemy.orm import Mapped, mapped_column

        from fastforge.contrib.db import Model

        class User(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            email: Mapped[str] = mapped_column(unique=True)
        """,
    "shop/blog/models.py": """
        from datetime import datetime

        from sqlalchemy import Column, ForeignKey, Table, func
        from sqlalchemy.orm import Mapped, mapped_column, relationship

        from fastforge.contrib.db import Model

        post_tags = Table(
            "blog_post_tags",
            Model.metadata,
            Column("post_id", ForeignKey("blog_post.id"), primary_key=True),
            Column("tag_id", ForeignKey("blog_tag.id"), primary_key=True),
        )

        class Tag(Model):
            id: Mapped[int] = mapped_column(primary_key=True)

        class Post(Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            author_id: Mapped[int] = mapped_column(ForeignKey("users_user.id", ondelete="CASCADE"))
            made_at: Mapped[datetime] = mapped_column(server_default=func.now())
            title: Mapped[str]
            tags: Mapped[list[Tag]] = relationship(secondary=post_tags)
        """,
    "pyproject.toml": """
        [tool.fastforge]
        settings = "shop.settings"
        """,
}

MANAGE = [sys.executable, "-m", "fastforge"]

# Several commands in one interpreter: starting it costs more than the commands.
STORY = """
import contextlib, io, json, sys
from fastforge.management.cli import run
told = []
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
        code = run(arguments)
    told.append([code, out.getvalue()])
print(json.dumps(told))
"""

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


class Shop:
    """A project in a folder, and its command line."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder = folder
        self.environ = {"FASTFORGE_ENV": "test", "PYTHONDONTWRITEBYTECODE": "1"}

    def manage(self, *arguments: str, exit_code: int = 0) -> str:
        """Run a command, check its exit code and return what it wrote."""
        done = run([*MANAGE, *arguments], cwd=self.folder.path, env=self.environ)
        assert done.returncode == exit_code, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def story(self, *commands: str) -> list[tuple[int, str]]:
        """Run commands one after the other; the exit code and what each wrote."""
        arguments = json.dumps([command.split() for command in commands])
        told = json.loads(self.script(STORY, arguments))
        return [(code, text) for code, text in told]

    def script(self, text: str, *arguments: str) -> str:
        """Run Python in the project's folder and return what it printed."""
        argv = [sys.executable, "-c", text, *arguments]
        done = run(argv, cwd=self.folder.path, env=self.environ)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> Process:
        return start([*MANAGE, *arguments], cwd=self.folder.path, env=self.environ)

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.folder.path / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def files(self, app: str) -> list[str]:
        return sorted(
            path.name for path in (self.folder.path / f"shop/{app}/migrations").glob("0*")
        )


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with isolated(tmp_path) as folder:
        folder.write(SHOP)
        yield Shop(folder)


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


MANY = """
import sqlalchemy as sa
revision = "users.{name}"
down_revision = {previous!r}
depends_on = None
def upgrade(op):
    op.create_table("users_t{number}", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO users_count (number) VALUES ({number})")
"""


def test_five_processes_at_once_apply_each_migration_once(
    shop: Shop, each_database_url: str
) -> None:
    """On an empty database and on one that is half migrated."""
    shop.environ["DATABASE_URL"] = each_database_url
    shop.manage("makemigrations")
    folder = shop.folder.path / "shop/users/migrations"
    first = folder / "0001_initial.py"
    table = 'op.create_table("users_count", sa.Column("number", sa.Integer, nullable=False))'
    first.write_text(first.read_text().replace("    op.create", f"    {table}\n    op.create", 1))
    for names in (range(2, 8), range(8, 14)):
        for number in names:
            previous = max(path.stem for path in folder.glob("0*.py"))
            name = f"{number:04}_more"
            text = MANY.format(name=name, number=number, previous=f"users.{previous}")
            (folder / f"{name}.py").write_text(text)
        with ExitStack() as stack:
            processes = [stack.enter_context(shop.start("migrate")) for _ in range(5)]
            assert [process.wait() for process in processes] == [0] * 5, list(map(str, processes))
            lines = [line for item in processes for line in item.output.splitlines()]
        applied = sorted(line.split()[1] for line in lines if line.startswith("applied"))
        assert len(applied) == len(set(applied)) == (8 if 2 in names else 6)
    assert shop.manage("migrate") == "Nothing to do.\n"


def test_a_killed_migrate_frees_the_lock_and_leaves_nothing_half_done(
    shop: Shop, each_postgres_url: str
) -> None:
    shop.environ["DATABASE_URL"] = each_postgres_url
    shop.manage("makemigrations")
    path = shop.folder.path / "shop/users/migrations/0001_initial.py"
    text = path.read_text()
    slow = text.replace(
        "    op.create_table(",
        '    op.execute("CREATE TABLE users_half (id INTEGER)")\n'
        '    print("begun", flush=True)\n'
        '    op.execute("SELECT pg_sleep(600)")\n'
        "    op.create_table(",
        1,
    )
    path.write_text(slow)
    with shop.start("migrate") as killed:
        killed.wait_for("begun")
        assert "[db.E120]" in shop.manage("migrate", "--lock-timeout-s", "0.3", exit_code=2)
        killed.kill()
        killed.wait()
    path.write_text(text)
    assert "applied: users.0001_initial" in shop.manage("migrate")


def test_what_is_unapplied_is_known_to_a_running_project(
    shop: Shop, each_database_url: str
) -> None:
    shop.environ["DATABASE_URL"] = each_database_url
    shop.manage("makemigrations")
    lines = shop.script(UNAPPLIED).splitlines()
    assert lines[0] == "['users.0001_initial', 'blog.0001_initial']"
    assert lines[-1] == "[]"
