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


@pytest.mark.parametrize(
    ("wrong", "near"), [("users_usr.id", "users_user"), ("users_user.idd", "id")]
)
def test_a_foreign_key_to_nothing_is_one_line_with_the_models_place(
    shop: Shop, wrong: str, near: str
) -> None:
    shop.replace("shop/blog/models.py", "users_user.id", wrong)
    ((code, told),) = shop.story("makemigrations")
    assert code == 2
    assert told.startswith("error: [db.E144] shop/blog/models.py:")
    assert f"blog_post.author_id refers to {wrong}, which no model has" in told
    assert f"did you mean '{near}'?" in told
    assert len(told.splitlines()) == 1


def test_a_denied_rename_still_needs_a_value_for_the_new_column(shop: Shop) -> None:
    shop.manage("makemigrations")
    shop.replace("shop/blog/models.py", "title: Mapped[str]\n", "headline: Mapped[str]\n")
    denied, both = shop.story(
        "makemigrations --not-renamed", "makemigrations --not-renamed --renamed"
    )
    assert (denied[0], both[0]) == (2, 2)
    assert "[db.E111]" in denied[1]
    assert "[db.E128]" in both[1]


def test_what_rows_get_is_said_by_an_option(shop: Shop) -> None:
    shop.manage("makemigrations")
    shop.replace("shop/blog/models.py", "title: Mapped[str]\n", "views: Mapped[int]\n")
    told = shop.story(
        "makemigrations --not-renamed",
        "makemigrations --not-renamed --fill blog_post.views",
        "makemigrations --not-renamed --fill blog_post.views=many",
        "makemigrations --not-renamed --fill blog_post.veiws=0 --fill blog_post.views=0",
        "makemigrations --not-renamed --fill blog_post.views=0 --check",
        "makemigrations --not-renamed --fill blog_post.views=id",
        "makemigrations --check",
    )
    assert [code for code, _ in told] == [2, 2, 2, 2, 1, 0, 0]
    codes = ["db.E111", "db.E137", "db.E134", "db.E137"]
    assert [code in text for code, (_, text) in zip(codes, told, strict=False)] == [True] * 4
    assert "did you mean 'blog_post.views'?" in told[3][1]
    assert shop.files("blog") == ["0001_initial.py", "0002_add_views_and_drop_title.py"]
    text = (shop.folder.path / "shop/blog/migrations" / shop.files("blog")[1]).read_text()
    assert 'op.execute("UPDATE blog_post SET views = id WHERE views IS NULL")' in text


def test_two_last_migrations_are_told_by_every_command_and_joined(shop: Shop) -> None:
    """The database that `migrate` would need is not there."""
    shop.environ["DATABASE_URL"] = "postgresql+asyncpg://me:secret@127.0.0.1:1/shop"
    shop.story(
        "makemigrations",
        "makemigrations blog --empty --name mine",
        "makemigrations blog --empty --name yours",
    )
    yours = shop.folder.path / "shop/blog/migrations/0003_yours.py"
    yours.write_text(yours.read_text().replace('"blog.0002_mine"', '"blog.0001_initial"'))
    told = shop.story(
        "makemigrations", "migrate", "showmigrations", "sqlmigrate blog 1", "lintmigrations",
        "makemigrations --check", "makemigrations blog --empty", "makemigrations --merge --empty",
    )  # fmt: skip
    for code, text in told[:-1]:
        assert code == 2
        assert "[db.E105] shop/blog/migrations/0003_yours.py:1:" in text
        assert "0002_mine.py and 0003_yours.py" in text
        assert "join them: manage makemigrations blog --merge" in text
        assert len(text.splitlines()) == 1
    assert "[db.E141]" in told[-1][1]
    told = shop.story(
        "makemigrations --merge --check", "makemigrations --merge --dry-run",
        "makemigrations users --merge", "makemigrations --merge", "makemigrations --merge",
        "makemigrations --check",
    )  # fmt: skip
    assert [code for code, _ in told] == [1, 0, 2, 0, 0, 0]
    assert told[3][1] == "written: shop/blog/migrations/0004_merge_mine_and_yours.py\n"
    assert told[4][1] == "No app has several last migrations.\n"


def test_a_missing_file_is_named_by_every_command(shop: Shop) -> None:
    shop.story("makemigrations", "makemigrations users --empty --name more")
    (shop.folder.path / "shop/users/migrations/0001_initial.py").unlink()
    for code, text in shop.story(
        "makemigrations", "migrate", "showmigrations", "sqlmigrate blog 1", "lintmigrations"
    ):
        assert code == 2
        assert "[db.E104]" in text
        assert "0001_initial" in text
        assert "bring 0001_initial.py back into the migrations of 'users'" in text


def test_files_are_the_same_whatever_the_database_and_the_run(shop: Shop) -> None:
    """Also for another hash seed: what is kept in sets has an order of its own in each process."""
    texts = []
    for number, url in enumerate(["sqlite+aiosqlite:///x.sqlite3", "postgresql+psycopg://h/n"]):
        shop.environ |= {"DATABASE_URL": url, "PYTHONHASHSEED": str(number)}
        texts.append(shop.manage("makemigrations", "--dry-run"))
    assert texts[0] == texts[1]
    assert "0001_initial.py" in texts[0]


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


def test_an_app_that_is_not_installed_may_be_why_nothing_changed(shop: Shop) -> None:
    shop.replace("shop/settings.py", ', "shop.blog"', "")
    written, again = shop.story("makemigrations", "makemigrations")
    assert written == (0, "written: shop/users/migrations/0001_initial.py\n")
    assert again[0] == 0
    first, second = again[1].splitlines()
    assert first == "No changes in the models."
    assert second.startswith("warning [core.W008] shop/blog/models.py:1: shop.blog looks like an")


def test_unknown_names_come_with_a_suggestion(shop: Shop) -> None:
    told = shop.story(
        "makemigrations", "makemigrations blgo", "migrate blgo", "showmigrations blgo",
        "sqlmigrate blgo 1", "migrate blog 7",
    )  # fmt: skip
    assert [code for code, _ in told] == [0, 2, 2, 2, 2, 2]
    assert all("did you mean 'blog'?" in text for _, text in told[1:5])
    assert "[db.E108]" in told[5][1]


def test_a_wait_for_the_lock_is_a_number_of_seconds(shop: Shop) -> None:
    wrong = ("-1", "nan", "inf", "-inf", "1e300")
    told = shop.story(*(f"migrate --lock-timeout-s {value}" for value in wrong))
    for value, (code, text) in zip(wrong, told, strict=True):
        shown = f"{float(value):g}"
        assert (code, text) == (
            2,
            f"error: [db.E158] --lock-timeout-s {shown} is no time to wait;"
            " write seconds, from 0 (do not wait) to 2000000\n",
        )
    assert shop.story("migrate --lock-timeout-s 0") == [(0, "Nothing to do.\n")]


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


def test_sqlmigrate_knows_what_the_migration_itself_has_made(shop: Shop) -> None:
    """A new NOT NULL column is added, filled, and altered: SQLite's second table has it.

    And it keeps the CHECK that the first one has.
    """
    shop.replace(
        "shop/users/models.py",
        "(unique=True)",
        """(unique=True)
    __table_args__ = (sa.CheckConstraint("email <> '::a:b'", name="known"),)""",
    )
    shop.replace(
        "shop/users/models.py",
        "from sqlalchemy.orm",
        "import sqlalchemy as sa\nfrom sqlalchemy.orm",
    )
    shop.manage("makemigrations")
    shop.replace("shop/users/models.py", "(unique=True)", "(unique=True)\n    age: Mapped[int]")
    (written, _), (code, sql), (back_code, back) = shop.story(
        "makemigrations --fill users_user.age=7",
        "sqlmigrate users 2",
        "sqlmigrate users 2 --backwards",
    )
    assert (written, code, back_code) == (0, 0, 0), sql + back
    lines = [line.strip(" ,") for line in sql.splitlines()]
    assert "UPDATE users_user SET age = 7 WHERE age IS NULL;" in lines
    assert lines.count("age INTEGER NOT NULL") == 1
    check = "CONSTRAINT ck_users_user_known CHECK (email <> '::a:b')"
    assert lines.count(check) == lines.count("CREATE TABLE _alembic_tmp_users_user (") == 1
    assert "age INTEGER" not in back[back.rindex("CREATE TABLE") :]


def test_what_is_unapplied_is_known_to_a_running_project(
    shop: Shop, each_database_url: str
) -> None:
    shop.environ["DATABASE_URL"] = each_database_url
    shop.manage("makemigrations")
    lines = shop.script(UNAPPLIED).splitlines()
    assert lines[0] == "['users.0001_initial', 'blog.0001_initial']"
    assert lines[-1] == "[]"
