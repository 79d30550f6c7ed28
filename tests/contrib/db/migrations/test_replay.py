"""The replay: operations become tables without a database; what cannot be replayed is named."""

from __future__ import annotations

import pytest

from fastforge.contrib.db.migrations.errors import MigrationFileError
from fastforge.contrib.db.migrations.replay import replay
from fastforge.contrib.db.migrations.schema import Schema

from .world import World, two_apps


def replayed(world: World) -> Schema:
    return replay(world.history)


def test_operations_written_by_hand_change_the_replayed_table(world: World) -> None:
    world.write(
        "users",
        "0001_initial",
        """
        def upgrade(op):
            op.create_table(
                "users_user",
                sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("name", sa.Text, index=True),
                sa.Column("old", sa.Text, unique=True),
                sa.CheckConstraint("name <> ''", name="named"),
            )
            op.create_table("users_gone", sa.Column("id", sa.Integer, primary_key=True))
            op.add_column("users_user", sa.Column("boss_id", sa.ForeignKey("users_user.id")))
            op.alter_column("users_user", "name", new_column_name="title", nullable=False)
            op.drop_table("users_gone")
            op.drop_constraint("named", "users_user", type_="check")
            op.create_unique_constraint("uq_title", "users_user", ["title", "boss_id"])
            with op.batch_alter_table("users_user") as batch_op:
                batch_op.drop_column("old")
                batch_op.create_index("ix_boss", ["boss_id"])
                batch_op.create_foreign_key("fk_self", "users_user", ["id"], ["id"])
            op.rename_table("users_user", "users_person")
        """,
    )
    (table,) = replayed(world)
    assert table.name == "users_person"
    assert list(table.columns) == ["id", "title", "boss_id"]
    assert table.columns["title"].nullable is False
    assert set(table.items) == {
        "ix_users_user_name",
        "fk_users_user_boss_id_users_user",
        "uq_title",
        "ix_boss",
        "fk_self",
    }
    assert {key.referent_table for key in table.foreign_keys} == {"users_person"}


def test_raw_sql_and_data_steps_are_skipped(world: World) -> None:
    world.make(two_apps)
    world.write(
        "blog",
        "0002_data",
        """
        def upgrade(op):
            post = sa.table("blog_post", sa.column("id"))
            op.execute("CREATE EXTENSION something_that_is_not_there")
            op.execute(post.delete())
            op.bulk_insert(post, [{"id": 1}])
            bind = op.get_bind()
            for row in bind.execute(sa.select(post)):
                raise AssertionError("there are no rows")
            assert bind.scalar(sa.select(post)) is None
            assert bind.execute(sa.text("SELECT 1")).mappings().all() == []
            assert bind.execute(post.delete()).rowcount == 0
            with op.batch_alter_table("blog_post") as batch_op:
                batch_op.execute("SELECT 1")
        """,
    )
    assert world.missing(two_apps) == ()


def test_a_step_that_only_one_database_takes_is_replayed_as_on_postgresql(world: World) -> None:
    """The files come out the same for everybody, whatever the developer's own database is."""
    world.make(two_apps)
    world.write(
        "blog",
        "0002_index",
        """
        def upgrade(op):
            if op.get_context().dialect.name == "postgresql":
                op.create_index("ix_gin", "blog_post", ["title"], postgresql_using="gin")
        """,
    )
    assert "ix_gin" in replayed(world)["blog_post"].items


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ('op.drop_column("blog_tag", "name")', 7, "LookupError: there is no table blog_tag"),
        ('op.drop_table("blog_tag")', 7, "there is no table blog_tag"),
        ('op.alter_column("blog_post", "no", nullable=True)', 7, "has no column no"),
        ('op.create_table("blog_post", sa.Column("id", sa.Integer))', 7, "made by 'blog'"),
        ('op.add_column("blog_post", sa.Column("id", sa.Integer))', 7, "has the column id already"),
        ('raise OSError("postgresql://u:hunter2@h/n")', 7, "OSError: postgresql://u:***@h/n"),
        ("sa.inspect(op.get_bind())", 7, "NoInspectionAvailable"),
        ("op.get_bind().execute(sa.select(1)).first().id", 7, "AttributeError"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_named_with_its_line(
    world: World, body: str, line: int, said: str
) -> None:
    world.make(two_apps)
    path = world.write("blog", "0002_odd", f"\ndef upgrade(op):\n    {body}\n")
    with pytest.raises(MigrationFileError) as caught:
        replayed(world)
    message = str(caught.value)
    assert message.startswith(
        f"[db.E106] {path}:{line}: the migration blog.0002_odd cannot be replayed in memory:"
    )
    assert said in message
    assert "as_sql" in message
    assert len(message.splitlines()) == 1
