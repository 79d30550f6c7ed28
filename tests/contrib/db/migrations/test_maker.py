"""makemigrations: the files that lead from what is written to what the models say."""

from __future__ import annotations

import enum
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql

from fastforge.contrib.db.migrations import maker
from fastforge.contrib.db.migrations.errors import MigrationError
from fastforge.contrib.db.migrations.maker import empty_migration
from fastforge.contrib.db.migrations.refusals import table_refusals
from fastforge.contrib.db.migrations.rendering import Renderer
from fastforge.contrib.db.migrations.shapes import TableShape
from fastforge.contrib.db.migrations.writer import write
from fastforge.contrib.db.model import UtcDateTime
from fastforge.exceptions import ForgeError

from .world import World, no, nobody, posts, two_apps, users, yes


def columns(*more: Any) -> Any:
    """Models whose posts have more columns."""

    def define(metadata: sa.MetaData) -> None:
        users(metadata)
        posts(metadata, *(column() for column in more))

    return define


def test_a_first_run_writes_a_file_for_each_app_that_reads_like_one_written_by_hand(
    world: World,
) -> None:
    new = world.make(two_apps)
    assert [migration.id for migration in new] == ["users.0001_initial", "blog.0001_initial"]
    assert (world.path / "users/migrations/__init__.py").exists()
    assert new[0].path.read_text() == (
        '"""Initial."""\n'
        "\n"
        "import sqlalchemy as sa\n"
        "from alembic.operations import Operations\n"
        "\n"
        'revision = "users.0001_initial"\n'
        "down_revision = None\n"
        'branch_labels = ("users",)\n'
        "depends_on = None\n"
        "\n"
        "\n"
        "def upgrade(op: Operations) -> None:\n"
        "    op.create_table(\n"
        '        "users_user",\n'
        '        sa.Column("id", sa.Integer(), nullable=False),\n'
        '        sa.Column("email", sa.String(length=100), nullable=False),\n'
        '        sa.PrimaryKeyConstraint("id", name=op.f("pk_users_user")),\n'
        '        sa.UniqueConstraint("email", name=op.f("uq_users_user_email")),\n'
        "    )\n"
        "\n"
        "\n"
        "def downgrade(op: Operations) -> None:\n"
        '    op.drop_table("users_user")\n'
    )


def test_a_second_run_without_migrate_finds_nothing(world: World) -> None:
    world.make(two_apps)
    assert world.missing(two_apps) == ()


def test_a_foreign_key_to_another_app_waits_for_the_migration_that_makes_its_table(
    world: World,
) -> None:
    world.make(two_apps)
    assert world.history["blog.0001_initial"].depends_on == ("users.0001_initial",)


def test_the_file_is_called_after_the_change_and_follows_the_one_before(world: World) -> None:
    world.make(two_apps)
    (new,) = world.make(columns(lambda: sa.Column("views", sa.Integer, server_default="0")))
    assert (new.id, new.previous) == ("blog.0002_add_views", "blog.0001_initial")
    assert '        batch_op.add_column(sa.Column("views", sa.Integer(), server_default="0"' in (
        new.source
    )


def test_tables_of_other_apps_are_neither_compared_nor_dropped(world: World) -> None:
    """A stranger's table is in no file of ours, and what a database holds is never asked."""
    world.make(two_apps)

    def with_stranger(metadata: sa.MetaData) -> None:
        two_apps(metadata)
        sa.Table("audit_log", metadata, sa.Column("id", sa.Integer, primary_key=True))

    assert world.missing(with_stranger) == ()


def test_a_model_that_is_gone_drops_its_table_and_the_way_back_makes_it_again(
    world: World,
) -> None:
    world.make(two_apps)
    (new,) = world.make(users)
    assert new.id == "blog.0002_drop_post"
    assert 'op.drop_table("blog_post")' in new.source
    assert 'name=op.f("fk_blog_post_author_id_users_user")' in new.source.split("downgrade")[1]
    assert world.missing(users) == ()


def test_a_change_and_its_reverse_are_both_written(world: World) -> None:
    world.make(two_apps)

    def define(metadata: sa.MetaData) -> None:
        users(metadata, sa.Column("name", sa.Text))
        posts(metadata)

    (new,) = world.make(define)
    up, down = new.source.split("def downgrade")
    assert 'add_column(sa.Column("name", sa.Text(), nullable=True))' in up
    assert 'drop_column("name")' in down


def test_type_length_nullability_and_default_are_seen(world: World) -> None:
    first = columns(lambda: sa.Column("note", sa.String(10)))
    world.make(first)
    for second in (
        columns(lambda: sa.Column("note", sa.String(20))),
        columns(lambda: sa.Column("note", sa.Text)),
        columns(lambda: sa.Column("note", sa.String(10), server_default="x")),
        columns(lambda: sa.Column("note", sa.String(10), comment="a remark")),
    ):
        (new,) = world.missing(second)
        assert "batch_op.alter_column(" in new.source
        assert new.name == "0002_alter_note"


def test_a_type_that_postgresql_cannot_cast_by_itself_gets_a_using_clause(world: World) -> None:
    world.make(columns(lambda: sa.Column("views", sa.String(10))))
    (new,) = world.missing(columns(lambda: sa.Column("views", sa.Integer)))
    up, down = new.source.split("def downgrade")
    assert 'postgresql_using="views::INTEGER"' in up
    assert 'postgresql_using="views::VARCHAR(10)"' in down


def test_what_differs_only_in_python_is_no_change(world: World) -> None:
    world.make(columns(lambda: sa.Column("key", sa.Uuid), lambda: sa.Column("data", sa.JSON)))
    same = columns(
        lambda: sa.Column("key", sa.Uuid(as_uuid=False), default="x"),
        lambda: sa.Column("data", sa.JSON(none_as_null=True)),
    )
    assert world.missing(same) == ()


def test_a_check_constraint_is_added_changed_and_dropped(world: World) -> None:
    def checked(condition: str) -> Any:
        return columns(lambda: sa.CheckConstraint(condition, name="title_long"))

    world.make(two_apps)
    (added,) = world.make(checked("length(title) > 3"))
    assert "batch_op.create_check_constraint(" in added.source
    assert '"length(title) > 3"' in added.source
    (changed,) = world.make(checked("length(title) > 4"))
    assert "drop_constraint" in changed.source
    assert '"length(title) > 4"' in changed.source
    (dropped,) = world.make(two_apps)
    assert 'drop_constraint(batch_op.f("ck_blog_post_title_long"), type_="check")' in dropped.source
    assert world.missing(two_apps) == ()


def test_defaults_are_written_so_that_every_database_understands_them(world: World) -> None:
    define = columns(
        lambda: sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        lambda: sa.Column("live", sa.Boolean, server_default=sa.true()),
    )
    (_, new) = world.make(define)
    assert "server_default=sa.func.now()" in new.source
    assert "server_default=sa.true()" in new.source
    assert world.missing(define) == ()


class Documents(sa.TypeDecorator[Any]):
    """A type of the user's own: JSONB where it exists."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        kind = postgresql.JSONB() if dialect.name == "postgresql" else sa.JSON()
        return dialect.type_descriptor(kind)


def test_a_file_names_the_sql_type_and_not_the_users_class(world: World) -> None:
    define = columns(
        lambda: sa.Column("body", Documents), lambda: sa.Column("at", UtcDateTime, nullable=True)
    )
    (_, new) = world.make(define)
    assert '.with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql")' in new.source
    assert 'sa.Column("at", sa.DateTime(timezone=True), nullable=True)' in new.source
    assert "from sqlalchemy.dialects import postgresql" in new.source
    assert "fastforge" not in new.source
    assert world.missing(define) == ()


def test_what_only_postgresql_has_needs_no_postgresql(world: World) -> None:
    def define(metadata: sa.MetaData) -> None:
        users(metadata)
        table = posts(
            metadata,
            sa.Column("tags", postgresql.ARRAY(sa.String)),
            sa.Column("body", postgresql.JSONB),
        )
        sa.Index("ix_blog_post_body", table.c.body, postgresql_using="gin")
        sa.Index(
            "ix_blog_post_short",
            sa.func.lower(table.c.title),
            unique=True,
            postgresql_where=sa.func.length(table.c.title) < 9,
        )

    (_, new) = world.make(define)
    assert 'postgresql_using="gin"' in new.source
    assert world.missing(define) == ()


def test_tables_that_refer_to_each_other_get_the_second_key_afterwards(world: World) -> None:
    def define(metadata: sa.MetaData) -> None:
        for one, other in (("cup", "dish"), ("dish", "cup")):
            sa.Table(
                f"blog_{one}",
                metadata,
                sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("other_id", sa.ForeignKey(f"blog_{other}.id", use_alter=one == "cup")),
            )

    (new,) = world.make(define)
    assert "batch_op.create_foreign_key(" in new.source
    assert world.missing(define) == ()


def test_a_renamed_column_keeps_its_values_and_its_index_follows(world: World) -> None:
    def titled(name: str) -> Any:
        def define(metadata: sa.MetaData) -> None:
            users(metadata)
            table = posts(
                metadata,
                sa.CheckConstraint(f"length({name}) > 0", name="not_empty"),
                title=name,
            )
            sa.Index(None, table.c[name])

        return define

    world.make(titled("title"))
    (new,) = world.make(titled("headline"), ask=yes)
    up = new.source.split("def downgrade")[0]
    assert 'new_column_name="headline"' in up
    assert "drop_column" not in up
    assert "create_check_constraint" not in up
    assert "ix_blog_post_headline" in up
    assert world.missing(titled("headline")) == ()


def test_a_renamed_table_takes_the_foreign_keys_to_it_along(world: World) -> None:
    def named(name: str) -> Any:
        def define(metadata: sa.MetaData) -> None:
            users(metadata)
            sa.Table(
                f"blog_{name}",
                metadata,
                sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("title", sa.Text, nullable=False),
            )
            sa.Table(
                "blog_note",
                metadata,
                sa.Column("id", sa.Integer, primary_key=True),
                sa.Column("about_id", sa.ForeignKey(f"blog_{name}.id", name="fk_note")),
            )

        return define

    world.make(named("post"))
    (new,) = world.make(named("article"), ask=yes)
    up = new.source.split("def downgrade")[0]
    assert 'op.rename_table("blog_post", "blog_article")' in up
    assert "drop_table" not in up
    assert world.missing(named("article")) == ()


@pytest.mark.parametrize(
    ("define", "code", "said"),
    [
        pytest.param(
            lambda m: (users(m), posts(m, title="headline")),
            "db.E110",
            "the column blog_post.title went and headline of the same type came",
            id="rename of a column",
        ),
        pytest.param(
            lambda m: (users(m), posts(m, table="blog_article")),
            "db.E117",
            "the table blog_post went and blog_article, which is like it, came",
            id="rename of a table",
        ),
        pytest.param(
            columns(lambda: sa.Column("views", sa.Integer, nullable=False)),
            "db.E111",
            "blog_post.views is NOT NULL, and nothing fills it in the rows that are there",
            id="not null",
        ),
        pytest.param(
            columns(lambda: sa.Column("views", sa.Integer, nullable=False, default=0)),
            "db.E111",
            "and a Python default does not",
            id="not null with a default in Python",
        ),
        pytest.param(
            columns(lambda: sa.Column("place", sa.Integer, primary_key=True, server_default="0")),
            "db.E112",
            "the primary key of blog_post changed from (id) to (id, place)",
            id="primary key",
        ),
    ],
)  # fmt: skip
def test_a_change_that_loses_data_or_fails_is_refused_in_one_line(
    world: World, define: Any, code: str, said: str
) -> None:
    world.make(two_apps)
    with pytest.raises(ForgeError) as caught:
        world.make(define, ask=nobody)
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith(f"[{code}]")
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(list((world.path / "blog/migrations").glob("0*.py"))) == 1


def test_a_refused_rename_names_both_ways_out(world: World) -> None:
    world.make(two_apps)
    with pytest.raises(ForgeError, match="--renamed or --not-renamed"):
        world.missing(lambda m: (users(m), posts(m, title="headline")))


def test_what_was_not_renamed_is_dropped_and_added(world: World) -> None:
    """The new column is NOT NULL, which the answer does not cure."""
    define = columns(lambda: sa.Column("note", sa.Text))
    world.make(define)
    (new,) = world.missing(columns(lambda: sa.Column("remark", sa.Text)), ask=no)
    assert 'drop_column("note")' in new.source
    assert 'sa.Column("remark", sa.Text(), nullable=True)' in new.source


def test_a_not_null_column_with_a_server_default_is_written(world: World) -> None:
    world.make(two_apps)
    (new,) = world.make(
        columns(lambda: sa.Column("views", sa.Integer, nullable=False, server_default="0"))
    )
    assert new.name == "0002_add_views"


def test_a_table_that_moved_to_another_app_is_refused(world: World) -> None:
    world.make(two_apps)
    with pytest.raises(ForgeError, match=r"\[db.E113\].*the migrations of 'users' made it"):
        world.missing(two_apps, prefixes={"users": "nothing", "blog": "users"})


def test_a_foreign_key_to_a_table_without_migrations_is_refused(world: World) -> None:
    only_blog = World(world.path, labels=("blog",))
    with pytest.raises(MigrationError, match=r"\[db.E116\].*users_user, which no migration makes"):
        only_blog.missing(two_apps)


def test_two_apps_that_need_each_others_new_tables_get_a_file_for_the_key_between_them(
    world: World,
) -> None:
    def define(metadata: sa.MetaData) -> None:
        users(metadata, sa.Column("first_id", sa.ForeignKey("blog_post.id", use_alter=True)))
        posts(metadata)

    new = world.make(define)
    assert {migration.id: migration.depends_on for migration in new} == {
        "users.0001_initial": (),
        "users.0002_link_user": ("blog.0001_initial",),
        "blog.0001_initial": ("users.0001_initial",),
    }
    assert world.missing(define) == ()


def test_a_new_value_of_a_native_enum_is_added_to_its_type(world: World) -> None:
    def coloured(*values: str) -> Any:
        return columns(lambda: sa.Column("colour", sa.Enum(*values, name="colour")))

    world.make(two_apps)
    (added,) = world.make(coloured("red", "blue"))
    assert ".create(op.get_bind(), checkfirst=True)" in added.source
    (grown,) = world.make(coloured("red", "blue", "green"))
    assert "ALTER TYPE colour ADD VALUE IF NOT EXISTS 'green'" in grown.source
    assert world.missing(coloured("red", "blue", "green")) == ()
    with pytest.raises(ForgeError, match=r"\[db.E127\].*lost 'red'"):
        world.missing(coloured("blue", "green"))


def test_two_enums_that_postgresql_would_call_the_same_are_refused(world: World) -> None:
    """Two apps with a class Status each: both types would be called status."""

    def define(metadata: sa.MetaData) -> None:
        users(metadata, sa.Column("status", sa.Enum("new", name="status")))
        posts(metadata, sa.Column("status", sa.Enum("draft", name="status")))

    with pytest.raises(ForgeError, match=r"\[db.E129\].*(users_user|blog_post).status"):
        world.missing(define)


def test_a_table_of_one_schema_waits_for_no_key_to_its_namesake_in_another(world: World) -> None:
    def before(metadata: sa.MetaData) -> None:
        two_apps(metadata)
        sa.Table("users_user", metadata, sa.Column("id", sa.Integer), schema="old")

    def after(metadata: sa.MetaData) -> None:
        users(metadata)
        posts(metadata, sa.Column("note", sa.Text))

    world.make(before)
    dropping, adding = world.missing(after)
    assert 'op.drop_table("users_user", schema="old")' in dropping.source
    assert (dropping.id, adding.id) == ("users.0002_drop_user", "blog.0002_add_note")
    assert dropping.depends_on == ()


def test_a_constraint_without_a_name_cannot_be_dropped(world: World) -> None:
    def nameless(*unique: str) -> Any:
        metadata = sa.MetaData()
        columns = [sa.Column(name, sa.Integer) for name in ("id", "one", "two")]
        constraints = [sa.UniqueConstraint(name) for name in unique]
        table = sa.Table("blog_post", metadata, *columns, *constraints)
        return {"blog_post": TableShape.of(table, owner="blog")}

    (refused,) = table_refusals(nameless("one"), nameless(), {}, Renderer())
    assert "[db.E115]" in str(refused)
    assert "unique (one) without a name" in str(refused)
    assert list(table_refusals(nameless("one"), nameless("one"), {}, Renderer())) == []


def test_an_enum_class_is_written_as_its_values(world: World) -> None:
    class Colour(enum.Enum):
        RED = "r"

    (_, new) = world.make(columns(lambda: sa.Column("colour", sa.Enum(Colour))))
    assert 'sa.Enum("RED", name="colour")' in new.source


def test_an_empty_migration_is_there_to_be_filled_in(world: World) -> None:
    world.make(two_apps)
    new = empty_migration(world.history, world.folder("blog"), name="fill_titles")
    write(new)
    assert world.history["blog.0002_fill_titles"].previous == ("blog.0001_initial",)
    assert "    pass\n" in new.source
    assert world.missing(two_apps) == ()


def test_a_name_that_is_no_file_name_is_refused(world: World) -> None:
    with pytest.raises(MigrationError, match=r"\[db.E119\]"):
        world.missing(two_apps, name="Add Age!")


TYPES = st.sampled_from(
    [
        sa.Integer(),
        sa.BigInteger(),
        sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        sa.Numeric(10, 2),
        sa.Float(),
        sa.Text(),
        sa.String(30),
        sa.Boolean(),
        sa.Date(),
        sa.DateTime(timezone=True),
        sa.Interval(),
        sa.Uuid(),
        sa.LargeBinary(),
        sa.JSON(),
        UtcDateTime(),
        Documents(),
        sa.Enum("a", "b", name="letter", native_enum=False, create_constraint=True),
        sa.Enum("it's", 'say "x"', name="quote"),
        postgresql.JSONB(),
        postgresql.INET(),
        postgresql.ARRAY(sa.Integer()),
    ]
)
DEFAULTS = st.sampled_from(
    [
        None, "0", "it's", 'a "b"', "100%", sa.text("'x' || 'y'"), sa.func.now(), sa.true(),
        sa.text("now() + interval '1 day'"),
    ]
)  # fmt: skip
COLUMNS = st.lists(
    st.tuples(TYPES, DEFAULTS, st.booleans(), st.sampled_from(["", "index", "unique"])),
    max_size=5,
)


# A value of an enum that went, and a type without a cast from the other one.
REFUSED = ("db.E127", "db.E133")


def model_of(drawn: list[Any]) -> Any:
    def define(metadata: sa.MetaData) -> None:
        table = users(metadata)
        for number, (type_, default, nullable, flag) in enumerate(drawn):
            table.append_column(
                sa.Column(
                    f"c{number}",
                    type_.copy() if hasattr(type_, "copy") else type_,
                    server_default=default,
                    nullable=nullable or default is None,
                    index=flag == "index",
                    unique=flag == "unique",
                )
            )

    return define


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=COLUMNS, second=COLUMNS)
def test_files_that_were_just_written_show_no_difference(
    tmp_path_factory: pytest.TempPathFactory, first: list[Any], second: list[Any]
) -> None:
    """Whatever the models were and are: replayed, the files make exactly the models."""
    world = World(tmp_path_factory.mktemp("world"), labels=("users",))
    for drawn in (first, second):
        define = model_of(drawn)
        try:
            world.make(define, ask=no, fill=lambda _: "0")
        except ForgeError as error:
            assert error.code in REFUSED  # noqa: PT017
            return
        assert world.missing(define) == ()


def test_thirty_apps_are_replayed_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making files is no more work for each app that there is beside it."""
    labels = [f"app{number:02}" for number in range(30)]
    world = World(world.path, labels)

    def define(metadata: sa.MetaData) -> None:
        for label, before in zip(labels, ["", *labels], strict=False):
            link = [sa.Column("b", sa.ForeignKey(f"{before}_x.id"))] if before else []
            sa.Table(f"{label}_x", metadata, sa.Column("id", sa.Integer, primary_key=True), *link)

    assert len(world.make(define)) == 30
    replays: list[object] = []
    replay = maker.replay
    monkeypatch.setattr(maker, "replay", lambda history: replays.append(1) or replay(history))
    assert world.missing(define) == ()
    assert len(replays) == 1
