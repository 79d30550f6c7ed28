"""What rows get in a column that comes back NOT NULL."""

from __future__ import annotations

import enum

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from fastforge.contrib.db.enum_checks import check_enums
from fastforge.contrib.db.migrations.plan import Target

from .stories import back_and_there, changed, table
from .world import World, connected, execute, run, scalar

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
