"""--database: which of DATABASES is migrated, on which way, and which are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from .shop import Shop

MIGRATION = """
    revision = "users.{name}"
    down_revision = {previous!r}
    depends_on = {depends_on!r}
    def upgrade(op): op.execute("CREATE TABLE users_{name} (id INTEGER)")
    def downgrade(op): op.execute("DROP TABLE users_{name}")
    """
DATABASES = """
    from fastforge.conf import env
    from fastforge.contrib.db import Database

    INSTALLED_APPS = ["fastforge.contrib.db", "shop.users"]
    _FILE = "sqlite+aiosqlite:///db.sqlite3"
    _NOWHERE = "postgresql+asyncpg://me:secret@127.0.0.1:1/shop"
    DATABASES = {
        "default": Database(url=_FILE),
        "archive": Database(url="sqlite+aiosqlite:///archive.sqlite3"),
        "replica": Database(url=_FILE, read_only=True),
        "pooled": Database(url=_NOWHERE, pooler="transaction"),
        "direct": Database(
            url=_NOWHERE, pooler="transaction", direct_url=env("DIRECT_URL", default=_NOWHERE)
        ),
    }
    """


def write(
    shop: Shop, name: str, previous: str | None = None, depends_on: str | None = None
) -> Path:
    file = f"shop/users/migrations/{name}.py"
    text = MIGRATION.format(name=name, previous=previous, depends_on=depends_on)
    shop.folder.write({file: text})
    return shop.folder.path / file


@pytest.fixture
def databases(shop: Shop) -> Shop:
    """The shop with several databases and two migrations of `users`."""
    shop.folder.write({"shop/settings.py": DATABASES})
    write(shop, "0001_one")
    write(shop, "0002_two", "users.0001_one")
    return shop


def test_a_database_is_migrated_by_its_name_and_the_others_are_not(databases: Shop) -> None:
    told = databases.story(
        "migrate users 1 --database archive",
        "showmigrations --database archive",
        "showmigrations",
        "showmigrations --database replica",
        "migrate --plan --database replica",
        "migrate --check --database archive",
        "sqlmigrate users 1 --database pooled",
    )
    assert [code for code, _ in told] == [0, 0, 0, 0, 0, 1, 0]
    assert told[0][1].startswith("applied: users.0001_one")
    assert told[1][1] == "users\n [X] 0001_one\n [ ] 0002_two\n"
    assert told[2][1] == told[3][1] == "users\n [ ] 0001_one\n [ ] 0002_two\n"
    assert told[4][1] == "apply users.0001_one\napply users.0002_two\n"
    assert told[5][1] == "apply users.0002_two\n"
    assert "BEGIN;" in told[6][1]


def test_what_cannot_be_migrated_is_refused_with_the_way_out(databases: Shop) -> None:
    told = databases.story(
        "migrate --database archiv", "showmigrations --database archiv",
        "sqlmigrate users 1 --database archiv", "migrate --database replica",
        "migrate --database pooled",
    )  # fmt: skip
    assert [code for code, _ in told] == [2] * 5
    assert all(
        "[db.E030] shop/settings.py:" in said and "did you mean 'archive'?" in said
        for _, said in told[:3]
    )
    assert "[db.E152] shop/settings.py:" in told[3][1]
    assert "[db.E150] shop/settings.py:" in told[4][1]
    assert "write direct_url" in told[4][1]


def test_migrations_go_past_a_pooler(databases: Shop, postgres_url: str) -> None:
    """Nothing listens where the pooler would be."""
    databases.environ["DIRECT_URL"] = postgres_url
    told = databases.story("migrate --database direct", "migrate --check --database direct")
    assert [code for code, _ in told] == [0, 0]
    assert told[1][1] == "Nothing to do.\n"


def test_behind_and_ahead_have_exit_codes_of_their_own(databases: Shop) -> None:
    first = databases.story("migrate --check", "migrate", "migrate --check")
    assert [code for code, _ in first] == [1, 0, 0]
    (databases.folder.path / "shop/users/migrations/0002_two.py").unlink()
    told = databases.story("migrate", "migrate --check", "migrate users zero")
    assert [code for code, _ in told] == [0, 4, 4]
    assert told[0][1] == (
        "Nothing to do: the database is ahead of this code: it has users.0002_two.\n"
    )
    assert all("[db.E121] the database is ahead" in said for _, said in told[1:])


def test_an_app_goes_to_any_of_its_migrations_and_back(databases: Shop) -> None:
    told = databases.story(
        "migrate users 0002", "migrate users 0001", "migrate users zero", "migrate users --fake",
        "migrate users zero --fake", "showmigrations",
    )  # fmt: skip
    assert [code for code, _ in told] == [0] * 6
    assert [line.rsplit(" (")[0] for _, said in told[:3] for line in said.splitlines()] == [
        "applied: users.0001_one", "applied: users.0002_two", "taken back: users.0002_two",
        "taken back: users.0001_one",
    ]  # fmt: skip
    assert told[3][1].splitlines()[1] == "applied: users.0002_two (noted only)"
    assert told[4][1].splitlines()[0] == "taken back: users.0002_two (noted only)"
    assert told[5][1] == "users\n [ ] 0001_one\n [ ] 0002_two\n"


def test_files_that_do_not_fit_together_are_named(databases: Shop) -> None:
    path = databases.folder.path / "shop/users/migrations/0001_one.py"
    text = path.read_text()
    path.unlink()
    ((code, said),) = databases.story("migrate")
    assert code == 2
    assert "[db.E104] shop/users/migrations/0002_two.py:1" in said
    path.write_text(text)
    write(databases, "0002_other", "users.0001_one")
    ((code, said),) = databases.story("migrate")
    assert code == 2
    assert "[db.E105]" in said
    assert "0002_other" in said and "0002_two" in said


def test_a_gap_below_what_is_applied_is_refused_and_can_be_noted_as_filled(
    databases: Shop,
) -> None:
    late = "shop/users/migrations/0001_late.py"
    databases.story("migrate")
    write(databases, "0001_late", "users.0001_one")
    databases.replace("shop/users/migrations/0002_two.py", "'users.0001_one'", "'users.0001_late'")
    told = databases.story("migrate", "migrate users 0002_two --fake", "migrate")
    assert [code for code, _ in told] == [2, 0, 0]
    assert (
        f"[db.E151] {late}:1: the database has users.0002_two and not users.0001_late"
        in (told[0][1])
    )
    assert "manage migrate users 0002_two --fake" in told[0][1]
    assert told[2][1] == "Nothing to do.\n"
