"""makemigrations --merge: two last migrations are joined, and no database is asked."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from fastforge.contrib.db.migrations.errors import MigrationError, MigrationFileError
from fastforge.contrib.db.migrations.files import load_history
from fastforge.contrib.db.migrations.merging import merging_migrations
from fastforge.contrib.db.migrations.plan import Target
from fastforge.contrib.db.migrations.writer import NewMigration, write
from fastforge.exceptions import ErrorGroup

from .world import World, applied, connected, run, two_apps, users

pytestmark = pytest.mark.anyio

BODY = """
def upgrade(op):
    with op.batch_alter_table("{table}") as batch_op:
        batch_op.{step}

def downgrade(op):
    with op.batch_alter_table("{table}") as batch_op:
        batch_op.drop_column("{name}")
"""


def branch(
    world: World, name: str, step: str, label: str = "users", table: str = "users_user"
) -> None:
    """A migration that one branch of the code added after the first one."""
    body = BODY.format(table=table, step=step, name=name.rpartition("_")[2])
    world.write(label, name, body, down_revision=f"{label}.0001_initial")


def fork(world: World) -> None:
    world.make(two_apps)
    branch(world, "0002_age", 'add_column(sa.Column("age", sa.Integer))')
    branch(world, "0002_note", 'add_column(sa.Column("note", sa.Text))')


def merged(world: World, name: str = "") -> tuple[NewMigration, ...]:
    folders = [world.folder(label) for label in world.labels]
    history = load_history(folders, conflicting=True)
    return merging_migrations(history, folders, name=name)


def test_the_error_names_both_files_and_the_way_out(world: World) -> None:
    fork(world)
    with pytest.raises(MigrationFileError) as caught:
        _ = world.history
    message = str(caught.value)
    assert message.startswith("[db.E105]")
    assert "0002_age.py and 0002_note.py" in message
    assert "manage makemigrations users --merge" in message
    assert len(message.splitlines()) == 1


def test_conflicts_of_two_apps_are_told_at_once(world: World) -> None:
    fork(world)
    for name in ("0002_x", "0002_y"):
        branch(world, name, f'add_column(sa.Column("{name}", sa.Text))', "blog", "blog_post")
    with pytest.raises(ErrorGroup) as caught:
        _ = world.history
    assert [str(error).count("[db.E105]") for error in caught.value.errors] == [1, 1]
    assert [new.id for new in merged(world)] == [
        "users.0003_merge_age_and_note",
        "blog.0003_merge_x_and_y",
    ]


def test_the_file_joins_both_and_changes_nothing(world: World) -> None:
    fork(world)
    (new,) = merged(world)
    write(new)
    assert 'down_revision = ("users.0002_age", "users.0002_note")' in new.source
    assert new.source.count("    pass\n") == 2
    assert merged(world) == ()

    def define(metadata: sa.MetaData) -> None:
        two_apps(metadata)
        table = metadata.tables["users_user"]
        table.append_column(sa.Column("age", sa.Integer))
        table.append_column(sa.Column("note", sa.Text))

    assert world.missing(define) == ()


async def test_a_database_that_has_either_already_gets_the_other(
    world: World, either_database_url: str
) -> None:
    """This is why no file is renumbered: its name is what a database remembers."""
    world.make(two_apps)
    branch(world, "0002_note", 'add_column(sa.Column("note", sa.Text))')
    async with connected(either_database_url) as engines:
        await run(engines, world)
        branch(world, "0002_age", 'add_column(sa.Column("age", sa.Integer))')
        for new in merged(world, name="both"):
            write(new)
        report = await run(engines, world)
        assert [step.migration.name for step in report.done] == ["0002_age", "0003_both"]
        await run(engines, world, Target(label="users", name="0002_age"))
        assert {item for item in await applied(engines) if item.startswith("users")} == {
            "users.0001_initial",
            "users.0002_age",
        }
        assert len((await run(engines, world)).done) == 2


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            'add_column(sa.Column("age", sa.Integer))',
            'add_column(sa.Column("age", sa.Text))',
            "has the column age already",
        ),
        (
            'alter_column("email", type_=sa.Text())',
            'alter_column("email", type_=sa.String(7))',
            "the table users_user depends on which of them runs first",
        ),
        ('drop_column("email")', 'alter_column("email", nullable=True)', "has no column email"),
    ],
)
def test_branches_that_do_not_fit_together_are_refused(
    world: World, first: str, second: str, said: str
) -> None:
    world.make(users)
    branch(world, "0002_mine", first)
    branch(world, "0002_yours", second)
    with pytest.raises(MigrationError) as caught:
        merged(world)
    message = str(caught.value)
    assert message.startswith("[db.E140]")
    assert "0002_mine.py and 0002_yours.py of 'users' cannot be joined" in message
    assert said in message
    assert caught.value.exit_code == 2
