"""What changes together: foreign keys and what they refer to, tables that move, odd columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fastforge.contrib.db.migrations.errors import MigrationFailed
from fastforge.contrib.db.migrations.fills import Unfilled
from fastforge.exceptions import ForgeError

from .catalogue import catalogue
from .stories import POST, USER, back_and_there, changed, table
from .world import World, connected, execute, no, posts, run, scalar, two_apps, users, yes

pytestmark = pytest.mark.anyio

Define = Callable[[sa.MetaData], Any]


def code(**options: Any) -> sa.Column[Any]:
    return sa.Column("code", sa.String(5), **options)


def refers(name: str = "c") -> sa.Column[Any]:
    return sa.Column(name, sa.ForeignKey("users_user.code"))


def text(name: str = "c") -> sa.Column[Any]:
    return sa.Column(name, sa.String(5))


# What a foreign key refers to has to be there before it, and to go after it.
TOGETHER: dict[str, tuple[Define, Define]] = {
    "a new table refers to what an old one gains": (
        lambda m: users(m, code()),
        lambda m: (users(m, code(unique=True)), table(m, "users_x", refers())),
    ),
    "an old table refers to what another one gains": (
        lambda m: (table(m, "users_a", text()), users(m)),
        lambda m: (table(m, "users_a", refers()), users(m, code(unique=True))),
    ),
    "a table refers to its own new column": (
        users,
        lambda m: users(m, code(unique=True), refers()),
    ),
    "another app refers to what this one gains": (
        lambda m: (users(m), posts(m)),
        lambda m: (users(m, code(unique=True)), posts(m, refers())),
    ),
    "tables of one app refer to each other": (
        users,
        lambda m: (
            users(m),
            table(m, "blog_cup", sa.Column("d", sa.ForeignKey("blog_dish.id", use_alter=True))),
            table(m, "blog_dish", sa.Column("c", sa.ForeignKey("blog_cup.id"))),
        ),
    ),
    "new tables of two apps refer to each other": (
        two_apps,
        lambda m: (
            two_apps(m),
            table(m, "users_x", sa.Column("b", sa.ForeignKey("blog_x.id", use_alter=True))),
            table(m, "blog_x", sa.Column("u", sa.ForeignKey("users_x.id"))),
        ),
    ),
}


ORDERS = [("users", "blog"), ("blog", "users")]


@pytest.mark.parametrize(
    ("story", "labels"),
    [(story, order) for story in TOGETHER for order in ORDERS[: 1 + ("app" in story)]],
)
async def test_a_foreign_key_comes_after_what_it_refers_to_and_goes_before_it(
    world: World, postgres_url: str, story: str, labels: tuple[str, str]
) -> None:
    """Made and taken away again, whatever the order of apps and models; SQLite takes all."""
    before, after = TOGETHER[story]
    world = World(world.path, labels)
    async with connected(postgres_url) as engines:
        world.make(before)
        for define in (after, before):
            await run(engines, world)
            first = await catalogue(engines)
            new = world.make(define, ask=no)
            assert world.missing(define) == ()
            await run(engines, world)
            await back_and_there(world, engines, new, first=first)


async def test_a_table_that_moves_to_another_app_keeps_its_rows(
    world: World, either_database_url: str
) -> None:
    def in_app(label: str) -> Define:
        def define(metadata: sa.MetaData) -> None:
            users(metadata, sa.Column("n", sa.ForeignKey(f"{label}_note.id", use_alter=True)))
            posts(metadata)
            owner = sa.Column("owner_id", sa.ForeignKey("users_user.id"), index=True)
            table(metadata, f"{label}_note", sa.Column("text", sa.Text), owner)

        return define

    note = "INSERT INTO blog_note (id, text) VALUES (7, 'kept')"
    async with connected(either_database_url) as engines:
        with pytest.raises(ForgeError, match=r"\[db.E117\].*the table blog_note went"):
            world.make(in_app("blog"))
            world.missing(in_app("users"))
        new = await changed(
            world, engines, in_app("blog"), in_app("users"), rows=(USER, note), ask=yes
        )
        assert await scalar(engines, "SELECT text FROM users_note WHERE id = 7") == "kept"
        assert "blog.0001_initial" in world.history.ancestors([new[0].id])
        await back_and_there(world, engines, new)
        assert await scalar(engines, "SELECT text FROM users_note WHERE id = 7") == "kept"


async def test_a_new_table_may_have_the_name_of_one_that_was_renamed(
    world: World, either_database_url: str
) -> None:
    """PostgreSQL does not rename a primary key along, and would refuse its name to the next."""

    def named(*names: str) -> Define:
        def define(metadata: sa.MetaData) -> None:
            users(metadata)
            for name in names:
                table(metadata, f"blog_{name}", sa.Column("text", sa.Text))

        return define

    async with connected(either_database_url) as engines:
        await changed(world, engines, named("a"), named("b"), ask=yes)
        (new,) = world.make(named("b", "a"), ask=no)
        await run(engines, world)
        await back_and_there(world, engines, [new])


async def test_a_table_of_one_schema_is_renamed_and_not_its_namesake(
    world: World, postgres_url: str
) -> None:
    def named(name: str) -> Define:
        def define(metadata: sa.MetaData) -> None:
            users(metadata)
            table(metadata, "users_note", sa.Column("text", sa.Text))
            table(metadata, name, sa.Column("text", sa.Text), schema="archive")
            refer = sa.Column("note_id", sa.ForeignKey(f"archive.{name}.id", name="fk_note"))
            table(metadata, "users_line", refer)

        return define

    async with connected(postgres_url) as engines:
        world.make(users)
        await run(engines, world)
        (made,) = world.make(named("users_note"))
        assert "CREATE SCHEMA IF NOT EXISTS archive" in made.source
        await run(engines, world)
        (new,) = world.make(named("users_memo"), ask=yes)
        assert 'op.rename_table("users_note", "users_memo", schema="archive")' in new.source
        assert world.missing(named("users_memo")) == ()
        await run(engines, world)
        await back_and_there(world, engines, [new])


def computed(expression: str, type_: Any = sa.Integer) -> Define:
    def define(metadata: sa.MetaData) -> None:
        made = sa.Computed(expression, persisted=True)
        users(metadata, sa.Column("n", type_, made, index=True))

    return define


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(computed("id + 1"), computed("id + 2"), id="another expression"),
        pytest.param(computed("id + 1"), computed("id + 1", sa.BigInteger), id="another type"),
        pytest.param(
            computed("id + 1"),
            lambda m: users(m, sa.Column("n", sa.Integer, nullable=False)),
            id="no longer computed",
        ),
    ],
)
async def test_a_computed_column_is_made_anew_with_its_index(
    world: World, either_database_url: str, before: Define, after: Define
) -> None:
    async with connected(either_database_url) as engines:
        new = await changed(world, engines, before, after, fill=lambda _: "9")
        await back_and_there(world, engines, new)


def plain(*, default: str | None = None, nullable: bool = True) -> Define:
    """`n` without what it was computed by."""
    return lambda m: users(
        m, sa.Column("n", sa.Integer, server_default=default, nullable=nullable, index=True)
    )


@pytest.mark.parametrize("after", [plain(), plain(default="7"), plain(nullable=False)])
async def test_a_column_that_is_not_computed_any_more_keeps_its_values_or_is_refused(
    world: World, either_database_url: str, after: Define
) -> None:
    asked: list[str] = []

    def suggested(unfilled: Unfilled) -> str:
        asked.append(unfilled.question)
        return unfilled.suggestion

    async with connected(either_database_url) as engines:
        world.make(computed("id + 1"))
        with pytest.raises(ForgeError, match=r"\[db.E159\].*say what they get: --fill"):
            world.missing(after)
        new = await changed(world, engines, computed("id + 1"), after, fill=suggested)
        assert await scalar(engines, "SELECT n FROM users_user") == 2
        assert asked[0] == "What do rows get in users_user.n, which is not computed any more? SQL"
        await back_and_there(world, engines, new)
        assert await scalar(engines, "SELECT n FROM users_user") == 2


@pytest.mark.parametrize(("default", "left"), [(None, None), ("7", 7)])
async def test_the_values_of_a_column_that_was_computed_can_be_let_go(
    world: World, either_database_url: str, default: str | None, left: int | None
) -> None:
    async with connected(either_database_url) as engines:
        after = plain(default=default)
        new = await changed(world, engines, computed("id + 1"), after, fill=lambda _: "")
        assert await scalar(engines, "SELECT n FROM users_user") == left
        await back_and_there(world, engines, new)


def only_on_postgresql(*, later: bool) -> Define:
    """Identity, an exclusion, a sequence, a decorated and an array's enum, options of an index."""

    def define(metadata: sa.MetaData) -> None:
        identity = sa.Identity(start=5, always=True) if later else sa.Identity()
        colours = ("red", "blue") if later else ("red",)
        note = table(
            metadata,
            "users_note",
            sa.Column("number", sa.BigInteger, identity, nullable=False),
            sa.Column("during", postgresql.INT4RANGE),
            sa.Column("colours", postgresql.ARRAY(sa.Enum(*colours, name="colour"))),
            sa.Column("text", sa.Text),
            postgresql.ExcludeConstraint(
                ("during", "&&"), name="no_overlap", using="gist", deferrable=later or None
            ),
        )
        sa.Index("ix_text", note.c.text, postgresql_concurrently=True, postgresql_include=["id"])
        if later:
            state = sa.String(9).with_variant(postgresql.ENUM("on", name="state"), "postgresql")
            note.append_column(sa.Column("turn", sa.Integer, sa.Sequence("turns", start=3)))
            note.append_column(sa.Column("state", state))

    return define


async def test_what_only_postgresql_has_goes_there_and_back(
    world: World, postgres_url: str
) -> None:
    async with connected(postgres_url) as engines:
        new = await changed(
            world, engines, only_on_postgresql(later=False), only_on_postgresql(later=True), rows=()
        )
        assert await scalar(engines, "SELECT nextval('turns')") == 3
        await back_and_there(world, engines, new)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (sa.Integer(), sa.Date(), r"\[db.E133\].*from INTEGER to DATE"),
        (sa.Enum("a", "b", name="e"), sa.Enum("b", "a", name="e"), r"\[db.E130\].*another order"),
        (sa.Enum("a", "b", name="e"), sa.Enum("a", name="e"), r"\[db.E127\].*another name"),
    ],
)
def test_a_type_that_cannot_become_another_is_refused(
    world: World, before: Any, after: Any, told: str
) -> None:
    world.make(lambda m: users(m, sa.Column("c", before)))
    with pytest.raises(ForgeError, match=told) as caught:
        world.missing(lambda m: users(m, sa.Column("c", after)))
    assert caught.value.exit_code == 2


def test_a_new_value_of_an_enum_is_not_used_in_the_migration_that_adds_it(world: World) -> None:
    def coloured(*values: str) -> Define:
        kind = sa.Enum(*values, name="e")
        return lambda m: users(m, sa.Column("c", kind, server_default=values[-1]))

    world.make(coloured("a"))
    with pytest.raises(ForgeError, match=r"\[db.E131\].*only after the commit"):
        world.missing(coloured("a", "b"))


def test_a_primary_key_does_not_change_where_its_numbers_come_from(world: World) -> None:
    def numbered(*parts: Any) -> Define:
        key = lambda: sa.Column("id", sa.Integer, *parts, primary_key=True)  # noqa: E731
        return lambda m: sa.Table("users_user", m, key())

    world.make(numbered())
    with pytest.raises(ForgeError, match=r"\[db.E135\]"):
        world.missing(numbered(sa.Identity()))


def losing(*, later: bool) -> Define:
    def define(metadata: sa.MetaData) -> None:
        users(metadata)
        note = table(
            metadata,
            "users_note",
            sa.Column("name", sa.String(20, collation="NOCASE"), unique=True),
            sa.Column("size", sa.BigInteger if later else sa.Integer),
            sa.Column("double", sa.Integer, sa.Computed("size * 2")),
            sa.Column("user_id", sa.ForeignKey("users_user.id", ondelete="CASCADE")),
            sa.CheckConstraint("size > 0", name="size"),
            sqlite_autoincrement=True,
        )
        table(metadata, "users_line", sa.Column("n", sa.ForeignKey(note.c.id, ondelete="CASCADE")))
        sa.Index("ix_size", note.c.size.desc())
        sa.Index("ix_some", note.c.name, sqlite_where=note.c.size > 5)

    return define


async def test_a_table_that_sqlite_makes_anew_loses_nothing(world: World, sqlite_url: str) -> None:
    """Neither its own rows and properties, nor the rows that refer to it."""
    rows = (
        USER,
        "INSERT INTO users_note (id, name, size, user_id) VALUES (5, 'Ada', 7, 1)",
        "INSERT INTO users_line (n) VALUES (5)",
    )
    async with connected(sqlite_url) as engines:
        new = await changed(world, engines, losing(later=False), losing(later=True), rows=rows)
        told = await scalar(engines, "SELECT sql FROM sqlite_master WHERE name = 'users_note'")
        for kept in ("AUTOINCREMENT", "COLLATE", "ON DELETE CASCADE", "size > 0", "size * 2"):
            assert kept in told
        indexes = "SELECT group_concat(sql) FROM sqlite_master WHERE type = 'index'"
        assert "size DESC" in await scalar(engines, indexes)
        assert "WHERE size > 5" in await scalar(engines, indexes)
        assert await scalar(engines, "SELECT count(*) FROM users_line") == 1
        assert await scalar(engines, "SELECT id FROM users_note WHERE name = 'ADA'") == 5
        await back_and_there(world, engines, new)


CASTS = [
    (sa.Text(), sa.Date(), "'2026-01-02'", "2026-01-02", "'soon'"),
    (sa.Text(), sa.DateTime(), "'2026-01-02T03:04:05'", "2026-01-02 03:04:05", "'soon'"),
    (sa.Text(), sa.Boolean(), "'yes'", "true", "'perhaps'"),
    (sa.Text(), sa.Uuid(), "'0f8fad5b-d9cb-469f-a165-70867728950e'", None, "'no'"),
    (sa.Text(), sa.Numeric(8, 2), "'2.50'", "2.50", "'two'"),
    (sa.Text(), sa.JSON(), "'{}'", "{}", "'{'"),
    (sa.Date(), sa.DateTime(), "'2026-01-02'", "2026-01-02 00:00:00", None),
    (sa.DateTime(), sa.Date(), "'2026-01-02 03:04:05'", "2026-01-02", None),
    (sa.Boolean(), sa.Text(), "true", "true", None),
    (sa.Boolean(), sa.BigInteger(), "true", "1", None),
    (sa.BigInteger(), sa.Boolean(), "5", "true", None),
    (sa.Float(), sa.Integer(), "2.6", "3", None),
    (sa.Text(), sa.Enum("a", name="e"), "'a'", "a", "'b'"),
]


@pytest.mark.parametrize(("old", "new", "value", "becomes", "misfit"), CASTS)
async def test_values_are_cast_alike_on_both_or_the_migration_fails(
    world: World,
    either_database_url: str,
    old: Any,
    new: Any,
    value: str,
    becomes: str | None,
    misfit: str | None,
) -> None:
    """SQLite's own CAST makes the year of a day, and zero of a word."""

    def typed(type_: Any) -> Define:
        return lambda metadata: users(metadata, sa.Column("c", type_))

    fills = f"UPDATE users_user SET c = {value}"
    async with connected(either_database_url) as engines:
        await changed(world, engines, typed(old), typed(new), rows=(USER, fills))
        query = sa.select(sa.Column("c", new)).select_from(sa.table("users_user"))
        async with engines.engine.connect() as connection:
            got = await connection.scalar(query)
        assert becomes is None or str(got).lower() == becomes
        if misfit is not None:
            world.make(typed(old), ask=no)
            await run(engines, world)
            await execute(engines, f"UPDATE users_user SET c = {misfit}")
            world.make(typed(new))
            with pytest.raises(MigrationFailed):
                await run(engines, world)
            assert await scalar(engines, "SELECT c FROM users_user") == misfit.strip("'")


async def test_a_deleted_model_with_rows_goes_only_as_its_file_says(
    world: World, either_database_url: str
) -> None:
    async with connected(either_database_url) as engines:
        (new,) = await changed(world, engines, two_apps, users, rows=(USER, POST))
        assert new.id == "blog.0002_drop_post"
        await back_and_there(world, engines, [new])


async def test_an_enum_type_of_two_apps_is_made_once_and_dropped_by_neither_too_early(
    world: World, postgres_url: str
) -> None:
    def coloured(*tables: str) -> Define:
        def define(metadata: sa.MetaData) -> None:
            users(metadata)
            for name in tables:
                table(metadata, name, sa.Column("c", sa.Enum("red", name="colour"), index=True))

        return define

    async with connected(postgres_url) as engines:
        both = coloured("users_x", "blog_x")
        new = await changed(world, engines, both, coloured())
        await back_and_there(world, engines, new)
