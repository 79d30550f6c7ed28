"""What rows get in a column that comes back NOT NULL."""

from __future__ import annotations

import enum

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from fastforge.contrib.db.enum_checks import check_enums
from fastforge.contrib.db.migrations.fills import Unfilled
from fastforge.contrib.db.migrations.plan import Target
from fastforge.contrib.db.migrations.shapes import TableShape

from .stories import back_and_there, changed, table
from .world import Define, World, connected, execute, run, scalar

pytestmark = pytest.mark.anyio


class State(enum.Enum):
    PAID = "paid"
    OPEN = "open"


def with_enum(metadata: sa.MetaData) -> None:
    """As `Mapped[State]` makes it, a text with a CHECK; the name has to be quoted."""
    type_ = sa.Enum(State, native_enum=False, length=50)
    check_enums(table(metadata, "users_user", sa.Column("order", type_, nullable=False)))


def with_array(metadata: sa.MetaData) -> None:
    table(metadata, "users_user", sa.Column("tags", ARRAY(sa.Text), nullable=False))


def bare(metadata: sa.MetaData) -> None:
    table(metadata, "users_user")


async def test_an_enum_comes_back_with_its_first_value(
    world: World, either_database_url: str
) -> None:
    rows = ("INSERT INTO users_user (id, \"order\") VALUES (1, 'PAID'), (2, 'OPEN')",)
    async with connected(either_database_url) as engines:
        new = await changed(world, engines, with_enum, bare, rows=rows)
        await back_and_there(world, engines, new)
        await run(engines, world, Target(label="users", name="0001"))
        assert (
            await scalar(engines, "SELECT count(*) FROM users_user WHERE \"order\" = 'OPEN'") == 2
        )


async def test_an_array_comes_back_empty(world: World, postgres_url: str) -> None:
    rows = ("INSERT INTO users_user (id, tags) VALUES (1, '{a}')",)
    async with connected(postgres_url) as engines:
        new = await changed(world, engines, with_array, bare, rows=rows)
        await back_and_there(world, engines, new)
        await execute(engines, "INSERT INTO users_user (id) VALUES (2)")
        assert await scalar(engines, "SELECT count(*) FROM users_user") == 2


def owned(*, nullable: bool) -> Define:
    def define(metadata: sa.MetaData) -> None:
        owner = sa.ForeignKey("users_user.id", deferrable=True, initially="DEFERRED")
        bare(metadata)
        table(metadata, "users_pet", sa.Column("owner_id", owner, nullable=nullable))

    return define


async def test_a_foreign_key_that_is_checked_at_the_end_is_checked_before_not_null(
    world: World, either_database_url: str
) -> None:
    """PostgreSQL alters no table of which it has rows to check."""
    rows = ("INSERT INTO users_user (id) VALUES (1)", "INSERT INTO users_pet (id) VALUES (1)")
    loose, strict = owned(nullable=True), owned(nullable=False)
    async with connected(either_database_url) as engines:
        new = await changed(world, engines, loose, strict, rows=rows, fill=lambda _: "1")
        await back_and_there(world, engines, new)
        assert await scalar(engines, "SELECT owner_id FROM users_pet") == 1


class Word(enum.StrEnum):
    SMALL = "small"


class Number(enum.IntEnum):
    FEW = 3


@pytest.mark.parametrize(
    ("type_", "default", "suggested"),
    [
        (sa.Enum(Word), Word.SMALL, "'SMALL'"),
        (sa.Enum(Word, values_callable=list), Word.SMALL, "'small'"),
        (sa.Integer(), Number.FEW, "3"),
        (sa.Text(), "it's", "'it''s'"),
        (sa.Boolean(), True, "true"),
        (sa.Integer(), lambda: 3, ""),
    ],
)
def test_the_default_of_the_model_is_suggested_as_the_database_keeps_it(
    type_: sa.types.TypeEngine[object], default: object, suggested: str
) -> None:
    made = table(sa.MetaData(), "users_user", sa.Column("size", type_, default=default))
    shape = TableShape.of(made, owner="users")
    assert Unfilled(table=shape, column=made.c.size, is_new=True).suggestion == suggested
