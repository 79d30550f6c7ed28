"""Many replicas at once, as processes: one migrates, none is in the way of whoever reads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.commanding import start
from tests.processes import wait_until

from .shop import Shop

INITIAL = """
import sqlalchemy as sa
revision = "users.0001_initial"
down_revision = None
depends_on = None
def upgrade(op):
    op.create_table(
        "users_user", sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.String)
    )
    op.create_table("users_count", sa.Column("number", sa.Integer, nullable=False))
    {more}
"""
MANY = """
import sqlalchemy as sa
revision = "users.{name}"
down_revision = {previous!r}
depends_on = None
def upgrade(op):
    op.create_table("users_t{number}", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO users_count (number) VALUES ({number})")
"""
CONCURRENTLY = """
revision = "users.{name}"
down_revision = {previous!r}
depends_on = None
atomic = False
def upgrade(op):
    op.create_index("ix_users_t{number}", "users_count", ["number"], postgresql_concurrently=True)
"""
WIDER = """
import sqlalchemy as sa
revision = "users.0002_wider"
down_revision = "users.0001_initial"
depends_on = None
def upgrade(op):
    with op.batch_alter_table("users_user") as batch_op:
        batch_op.alter_column("email", type_=sa.Text())
"""
# It lets others pass after half a second in place of four.
IMPATIENT = """
from fastforge.contrib.db.migrations import project
from fastforge.management.cli import run
assert project.TABLE_LOCK_TIMEOUT_S == 4
project.TABLE_LOCK_TIMEOUT_S = 0.5
raise SystemExit(run(["migrate"]))
"""
NOTHING = "Nothing to do.\n"
# Of the process that waits: it has asked for the lock and has not been given it.
WAITING = """
    SELECT count(*) FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
    WHERE NOT l.granted AND l.mode = %s AND c.relname = 'users_user'
"""


@pytest.fixture
def files(shop: Shop) -> Path:
    """The folder of the migrations of `users`, with the first one."""
    folder = shop.folder.path / "shop/users/migrations"
    folder.mkdir()
    (folder / "0001_initial.py").write_text(INITIAL.format(more=""))
    return folder


def add(folder: Path, text: str, number: int) -> None:
    """Write the app's next migration."""
    previous = max(path.stem for path in folder.glob("0*.py"))
    name = f"{number:04}_more"
    source = text.format(name=name, number=number, previous=f"users.{previous}")
    (folder / f"{name}.py").write_text(source)


def test_of_five_processes_one_migrates_and_four_find_nothing_to_do(
    shop: Shop, files: Path, each_database_url: str
) -> None:
    """On an empty database and on one that is half migrated; an index is made concurrently."""
    shop.environ["DATABASE_URL"] = each_database_url
    for numbers, count in ((range(2, 6), 5), (range(6, 10), 4)):
        for number in numbers:
            add(files, CONCURRENTLY if number % 4 == 0 else MANY, number)
        with ThreadPoolExecutor(5) as pool:
            stories = list(pool.map(shop.story, ["migrate"] * 5))  # a process each
        assert [code for ((code, _),) in stories] == [0] * 5, stories
        told = sorted((text for ((_, text),) in stories), key=len)
        assert told[:4] == [NOTHING] * 4
        assert [line.split(":")[0] for line in told[4].splitlines()] == ["applied"] * count


SLEEP = """
    op.execute("CREATE TABLE users_half (id INTEGER)")
    print("begun", flush=True)
    {sleep}
"""


def test_a_killed_migrate_frees_the_lock_and_leaves_nothing_half_done(
    shop: Shop, files: Path, each_database_url: str
) -> None:
    shop.environ["DATABASE_URL"] = each_database_url
    is_sqlite = each_database_url.startswith("sqlite")
    sleep = "import time; time.sleep(600)" if is_sqlite else 'op.execute("SELECT pg_sleep(600)")'
    path = files / "0001_initial.py"
    path.write_text(INITIAL.format(more=SLEEP.format(sleep=sleep)))
    with shop.start("migrate") as killed:
        killed.wait_for("begun")
        path.write_text(INITIAL.format(more=""))
        ((code, said),) = shop.story("migrate --lock-timeout-s 0.3")
        assert code == 2
        assert said.startswith("error: [db.E120] the ")
        assert "holds the migration lock, and 0.3 s were not enough" in said
        if is_sqlite:
            assert f"the process {killed.pid}, which began" in said
        else:
            assert f"(shop:command:{killed.pid}), connected for" in said
        killed.kill()
        killed.wait()
    ((code, said),) = shop.story("migrate")
    assert (code, "applied: users.0001_initial" in said) == (0, True)
    assert list(shop.folder.path.rglob("*-migrating")) == []


def test_a_select_is_not_stuck_behind_an_alter_that_waits_for_a_long_reader(
    shop: Shop, files: Path, each_postgres_url: str, postgres_dsn: str
) -> None:
    """The ALTER gives up its place in the queue, and comes again until the reader is done."""
    shop.environ["DATABASE_URL"] = each_postgres_url
    shop.story("migrate")
    (files / "0002_wider.py").write_text(WIDER)
    with ExitStack() as stack:
        reader, other, watcher = (
            stack.enter_context(psycopg.connect(postgres_dsn, autocommit=autocommit))
            for autocommit in (False, True, True)
        )
        reader.execute("SELECT * FROM users_user")
        program = [sys.executable, "-c", IMPATIENT]
        migrating = stack.enter_context(start(program, cwd=files.parents[2], env=shop.environ))

        def waits(mode: str) -> bool:
            return bool(watcher.execute(WAITING, [mode]).fetchone()[0])  # type: ignore[index]

        wait_until(lambda: waits("AccessExclusiveLock"), describe=migrating)
        # It waits behind the ALTER, and comes back while the reader still stands in its way.
        other.execute("SELECT * FROM users_user")
        assert reader.info.transaction_status.name == "INTRANS"
        assert migrating.alive
        wait_until(lambda: waits("AccessExclusiveLock"), describe=migrating)  # it tries again
        reader.rollback()
        assert migrating.wait() == 0
        assert "applied: users.0002_wider" in migrating.output
