"""lintmigrations as a user types it: which files it looks at, silence, JSON and the exit code."""

from __future__ import annotations

import json

import pytest

from tests.processes import run

from .shop import Shop

MIGRATION = """
    import sqlalchemy as sa
    revision = "users.{name}"
    down_revision = {previous!r}
    depends_on = None
    def upgrade(op):
        {body}
    def downgrade(op): pass
    """
TABLE = 'op.create_table("users_user", sa.Column("id", sa.Integer), sa.Column("a", sa.Integer))'


def write(shop: Shop, name: str, previous: str | None, body: str) -> None:
    text = MIGRATION.format(name=name, previous=previous, body=body)
    shop.folder.write({f"shop/users/migrations/{name}.py": text})


def git(shop: Shop, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    done = run(["git", *identity, *arguments], cwd=shop.folder.path)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def drops(shop: Shop) -> Shop:
    """Two migrations: one makes a table, one drops a column of it."""
    write(shop, "0001_initial", None, TABLE)
    write(shop, "0002_drop", "users.0001_initial", 'op.drop_column("users_user", "a")')
    return shop


def test_without_git_every_file_is_looked_at(drops: Shop) -> None:
    told = drops.story("lintmigrations", "lintmigrations --json", "lintmigrations blog")
    assert [code for code, _ in told] == [1, 1, 0]
    line, summary = told[0][1].splitlines()
    assert line.startswith("warning [db.W102] shop/users/migrations/0002_drop.py:6: dropping")
    assert summary == "1 finding in 2 migrations."
    document = json.loads(told[1][1])
    assert document["since"] is None
    assert document["migrations"] == ["users.0001_initial", "users.0002_drop"]
    (finding,) = document["findings"]
    assert finding["id"] == "db.W102"
    assert finding["migration"] == "users.0002_drop"
    assert finding["where"] == "shop/users/migrations/0002_drop.py:6"
    assert told[2][1] == "No migration is new.\n"


def test_git_tells_what_is_new(drops: Shop) -> None:
    """What the main branch of origin has is released, unless it was changed since."""
    git(drops, "init", "-q", "-b", "work")
    git(drops, "add", "-A")
    git(drops, "commit", "-q", "-m", "released")
    git(drops, "update-ref", "refs/remotes/origin/main", "HEAD")
    old, everything, unknown = drops.story(
        "lintmigrations", "lintmigrations --all", "lintmigrations --since nowhere"
    )
    assert old == (0, "No migration is new since origin/main.\n")
    assert everything[0] == 1
    assert unknown[0] == 2
    assert "[db.E156] git knows no revision 'nowhere'" in unknown[1]

    git(drops, "tag", "v1")
    write(drops, "0003_new", "users.0002_drop", 'op.drop_table("users_user")')
    new, changed, since = drops.story(
        "lintmigrations", "lintmigrations --since v1", "lintmigrations users --json"
    )
    assert new[0] == changed[0] == 1
    assert "0003_new.py" in new[1] and "0002_drop.py" not in new[1]
    assert new[1].endswith("1 finding in 1 migration since origin/main.\n")
    assert changed[1].endswith("1 finding in 1 migration since v1.\n")
    assert json.loads(since[1])["migrations"] == ["users.0003_new"]

    git(drops, "add", "-A")
    git(drops, "commit", "-q", "-m", "new")
    path = drops.folder.path / "shop/users/migrations/0002_drop.py"
    path.write_text(f"{path.read_text()}\n# changed\n")
    ((_, said),) = drops.story("lintmigrations")
    assert said.endswith("2 findings in 2 migrations since origin/main.\n")


def test_the_settings_turn_a_rule_off_with_a_reason(drops: Shop) -> None:
    settings = "shop/settings.py"
    drops.replace(settings, "DATABASES = {", 'SILENCED_CHECKS = {"db.W102": ""}\nDATABASES = {')
    assert drops.story("lintmigrations")[0][0] == 1
    drops.replace(settings, '"db.W102": ""', '"db.W102": "deploys stop the site"')
    ((code, said),) = drops.story("lintmigrations")
    assert (code, said) == (0, "Nothing found in 2 migrations.\n")
