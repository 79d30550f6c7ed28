"""Autogenerate without its blind spots: each becomes a right file, or is refused with exit code 2.

Each file is applied to a database with rows, `makemigrations --check` is then clean, and up, down
and up again leaves the same catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fastforge.contrib.db.enum_checks import check_enums
from fastforge.contrib.db.migrations.errors import MigrationFailed
from fastforge.exceptions import ForgeError

from .catalogue import catalogue
from .stories import POST, USER, back_and_there, changed
from .world import World, connected, execute, nobody, posts, run, scalar, two_apps, users, yes

pytestmark = pytest.mark.anyio

Columns = Callable[[], list[Any]]


def with_columns(make: Columns) -> Callable[[sa.MetaData], Any]:
    return lambda metadata: users(metadata, *make())


async def test_a_native_enum_gains_values_where_the_model_has_them(
    world: World, each_database_url: str
) -> None:
    def coloured(*values: str) -> Callable[[sa.MetaData], Any]:
        return with_columns(lambda: [sa.Column("colour", sa.Enum(*values, name="User Colour"))])

    async with connected(each_database_url) as engines:
        new = await changed(
            world, engines, coloured("a", "d"), coloured("a", "b", "c", "d", "it's")
        )
        await execute(engines, "UPDATE users_user SET colour = 'it''s'")
        if engines.engine.dialect.name == "postgresql":
            order = (
                "SELECT string_agg(v::text, '') FROM unnest(enum_range(NULL::\"User Colour\")) v"
            )
            assert await scalar(engines, order) == "abcdit's"
        await execute(engines, "UPDATE users_user SET colour = 'a'")
        await back_and_there(world, engines, new)


async def test_an_enum_kept_as_text_gains_and_loses_values_by_its_check(
    world: World, each_database_url: str
) -> None:
    def coloured(*values: str) -> Callable[[sa.MetaData], Any]:
        def define(metadata: sa.MetaData) -> None:
            kept_as_text = sa.Enum(*values, native_enum=False, length=50)
            check_enums(users(metadata, sa.Column("colour", kept_as_text)))

        return define

    async with connected(each_database_url) as engines:
        (new,) = await changed(world, engines, coloured("red", "blue"), coloured("blue", "green"))
        assert "alter_column" not in new.source
        await execute(engines, "UPDATE users_user SET colour = 'green'")
        with pytest.raises(DBAPIError):
            await execute(engines, "UPDATE users_user SET colour = 'red'")
        await execute(engines, "UPDATE users_user SET colour = 'blue'")
        await back_and_there(world, engines, [new])


async def test_a_new_column_of_a_new_native_enum(world: World, each_database_url: str) -> None:
    after = with_columns(lambda: [sa.Column("colour", sa.Enum("red", name="colour"))])
    async with connected(each_database_url) as engines:
        new = await changed(world, engines, users, after)
        await execute(engines, "UPDATE users_user SET colour = 'red'")
        await back_and_there(world, engines, new)


async def test_a_not_null_column_is_filled_by_what_was_answered_or_refused(
    world: World, each_database_url: str
) -> None:
    """A default in Python is no answer, but what is suggested."""
    after = with_columns(
        lambda: [
            sa.Column("age", sa.Integer, nullable=False, default=18),
            sa.Column("nick", sa.String(9), nullable=False),
        ]
    )
    async with connected(each_database_url) as engines:
        answers = {"users_user.age": "18", "users_user.nick": "'x:y'"}
        new = await changed(
            world, engines, users, after, fill=lambda unfilled: answers[unfilled.key]
        )
        assert await scalar(engines, "SELECT age FROM users_user") == 18
        assert await scalar(engines, "SELECT nick FROM users_user") == "x:y"
        with pytest.raises(DBAPIError):
            await execute(engines, "INSERT INTO users_user (id, email) VALUES (2, 'b')")
        await back_and_there(world, engines, new)
    fresh = World(world.path / "fresh")
    fresh.make(users)
    with pytest.raises(ForgeError) as caught:
        fresh.make(after)
    assert caught.value.exit_code == 2
    assert "[db.E111]" in str(caught.value)
    assert "--fill users_user.age=18" in str(caught.value)
    assert "users_user.nick is NOT NULL" in str(caught.value)


async def test_a_column_that_becomes_not_null_is_filled_first(
    world: World, each_database_url: str
) -> None:
    """Also when its type changes with it; an answer of nothing means that no row lacks a value."""
    before = with_columns(lambda: [sa.Column("age", sa.Text)])
    after = with_columns(lambda: [sa.Column("age", sa.Integer, nullable=False)])
    second = "INSERT INTO users_user (id, email, age) VALUES (2, 'b', '7')"
    async with connected(each_database_url) as engines:
        new = await changed(
            world, engines, before, after, rows=(USER, second), fill=lambda _: "id + 40"
        )
        assert await scalar(engines, "SELECT sum(age) FROM users_user") == 41 + 7
        await back_and_there(world, engines, new)
        trusting = World(world.path / "trusting")
        trusting.make(before)
        with pytest.raises(ForgeError, match=r"\[db.E132\]"):
            trusting.make(after, fill=lambda _: None)
        (plain,) = trusting.make(after, fill=lambda _: "")
        assert "UPDATE" not in plain.source


async def test_a_renamed_column_keeps_its_values_or_is_refused(
    world: World, each_database_url: str
) -> None:
    """With a CHECK, an index over an expression and a partial one that name it."""

    def titled(name: str) -> Callable[[sa.MetaData], Any]:
        def define(metadata: sa.MetaData) -> None:
            users(metadata)
            post = posts(
                metadata,
                sa.CheckConstraint(f"length({name}) > 0 AND {name} <> 'title'", name="told"),
                title=name,
            )
            sa.Index("ix_lower", sa.func.lower(post.c[name]))
            some = sa.text(f"{name} <> ''")
            sa.Index("ix_some", post.c.author_id, sqlite_where=some, postgresql_where=some)

        return define

    async with connected(each_database_url) as engines:
        new = await changed(
            world, engines, titled("title"), titled("headline"), rows=(USER, POST), ask=yes
        )
        assert "drop" not in new[0].source
        assert await scalar(engines, "SELECT headline FROM blog_post") == "t"
        await back_and_there(world, engines, new)
        assert await scalar(engines, "SELECT headline FROM blog_post") == "t"
    with pytest.raises(ForgeError) as caught:
        world.missing(titled("caption"), ask=nobody)
    assert (caught.value.exit_code, "[db.E110]" in str(caught.value)) == (2, True)


async def test_text_becomes_a_number_where_every_row_has_one(
    world: World, each_database_url: str
) -> None:
    """SQLite would make 0 of anything else without a word; a default is cast as well."""
    before = with_columns(lambda: [sa.Column("order", sa.Text, server_default="1")])
    after = with_columns(lambda: [sa.Column("order", sa.Integer, server_default="3")])
    row = "INSERT INTO users_user (id, email, \"order\") VALUES (1, 'a', ' 07')"
    async with connected(each_database_url) as engines:
        first_row = (row,)
        new = await changed(world, engines, before, after, rows=first_row)
        assert "USING" not in new[0].source
        assert "postgresql_using='\"order\"::INTEGER'" in new[0].source
        assert await scalar(engines, 'SELECT "order" + 1 FROM users_user') == 8
        await back_and_there(world, engines, new)
        world.make(before)
        await run(engines, world)
        await execute(engines, "UPDATE users_user SET \"order\" = 'abc'")
        world.make(after)
        with pytest.raises(MigrationFailed, match="abc|invalid input syntax"):
            await run(engines, world)
        assert await scalar(engines, 'SELECT "order" FROM users_user') == "abc"


async def test_a_named_check_is_added_and_its_text_changed(
    world: World, each_database_url: str
) -> None:
    def checked(text: str) -> Callable[[sa.MetaData], Any]:
        return with_columns(
            lambda: [
                sa.Column("age", sa.Integer, server_default="5"),
                sa.CheckConstraint(text, name="age"),
            ]
        )

    async with connected(each_database_url) as engines:
        new = await changed(world, engines, checked("age > 1"), checked("age > 2"))
        with pytest.raises(DBAPIError):
            await execute(engines, "UPDATE users_user SET age = 2")
        await back_and_there(world, engines, new)


async def test_options_of_keys_lengths_and_defaults(world: World, each_database_url: str) -> None:
    """What alembic sees as well, and sees only once."""

    def defined(length: int, default: Any, **options: Any) -> Callable[[sa.MetaData], Any]:
        def define(metadata: sa.MetaData) -> None:
            users(metadata)
            posts(
                metadata,
                sa.Column("note", sa.String(length), comment=f"at most {length}"),
                sa.Column("at", sa.DateTime(timezone=True), server_default=default),
                sa.Column("reader_id", sa.ForeignKey("users_user.id", **options)),
            )

        return define

    first = defined(5, None)
    second = defined(
        9, sa.func.now(), ondelete="SET NULL", onupdate="CASCADE", deferrable=True,
        initially="DEFERRED",
    )  # fmt: skip
    async with connected(each_database_url) as engines:
        new = await changed(world, engines, first, second, rows=(USER, POST))
        await back_and_there(world, engines, new)


async def test_no_table_of_a_stranger_is_dropped(world: World, each_database_url: str) -> None:
    async with connected(each_database_url) as engines:
        stranger = "CREATE TABLE users_stranger (id INTEGER)"
        new = await changed(
            world, engines, two_apps, users, rows=(USER, POST, stranger), ask=nobody
        )
        assert "stranger" not in new[0].source
        names = [line for line in await catalogue(engines) if "users_stranger" in line]
        assert names
        await back_and_there(world, engines, new)
