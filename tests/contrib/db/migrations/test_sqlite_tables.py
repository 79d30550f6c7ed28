"""What SQLite would lose, or stumble over, when a table is made anew."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from fastforge.contrib.db.migrations.errors import MigrationFailed

from .stories import back_and_there, changed, table
from .world import Define, World, connected, execute, run, scalar

pytestmark = pytest.mark.anyio


def logged(type_: type[sa.types.TypeEngine[int]]) -> Define:
    def define(metadata: sa.MetaData) -> None:
        table(metadata, "users_user", sa.Column("points", sa.Integer))
        table(metadata, "users_log", sa.Column("points", type_))

    return define


async def test_views_and_triggers_of_other_tables_stay(world: World, sqlite_url: str) -> None:
    """SQLite renames no table while one of them names a table that is not there."""
    rows = (
        "CREATE VIEW seen AS SELECT points FROM users_log",
        'CREATE VIEW "seen again" AS SELECT points FROM seen',
        "CREATE TRIGGER noted AFTER INSERT ON users_user"
        " BEGIN INSERT INTO users_log (points) VALUES (new.points); END",
        "CREATE TRIGGER through INSTEAD OF INSERT ON seen"
        " BEGIN INSERT INTO users_log (points) VALUES (new.points); END",
        "INSERT INTO users_user (points) VALUES (1)",
    )
    async with connected(sqlite_url) as engines:
        new = await changed(world, engines, logged(sa.Integer), logged(sa.BigInteger), rows=rows)
        await back_and_there(world, engines, new)
        await execute(
            engines,
            "INSERT INTO users_user (points) VALUES (2)",
            "INSERT INTO seen (points) VALUES (4)",
        )
        assert await scalar(engines, 'SELECT sum(points) FROM "seen again"') == 7


async def test_a_column_that_a_view_reads_is_not_dropped_on_either_database(
    world: World, either_database_url: str
) -> None:
    def bare(metadata: sa.MetaData) -> None:
        table(metadata, "users_user")
        table(metadata, "users_log")

    async with connected(either_database_url) as engines:
        view = "CREATE VIEW seen AS SELECT points FROM users_log"
        with pytest.raises(MigrationFailed, match="it was rolled back"):
            await changed(world, engines, logged(sa.Integer), bare, rows=(view,))
        assert await scalar(engines, "SELECT count(points) FROM seen") == 0


async def test_a_check_without_a_name_is_not_lost_without_a_word(
    world: World, sqlite_url: str
) -> None:
    world.write(
        "users",
        "0001_by_hand",
        """
        def upgrade(op):
            op.execute("CREATE TABLE users_user (id INTEGER PRIMARY KEY, n INTEGER CHECK (n > 0))")
        """,
    )
    async with connected(sqlite_url) as engines:
        await run(engines, world)
        world.write(
            "users",
            "0002_wider",
            """
            def upgrade(op):
                with op.batch_alter_table("users_user") as batch_op:
                    batch_op.alter_column("n", type_=sa.BigInteger())
            """,
        )
        with pytest.raises(MigrationFailed, match="Unnamed CHECK.*it was rolled back"):
            await run(engines, world)
        with pytest.raises(sa.exc.IntegrityError):
            await execute(engines, "INSERT INTO users_user (n) VALUES (0)")


async def test_a_default_that_is_an_expression_stays_one(world: World, sqlite_url: str) -> None:
    def defaulting(type_: type[sa.types.TypeEngine[int]]) -> Define:
        joined = sa.text("('it''s ' || 'x')")
        return lambda metadata: table(
            metadata,
            "users_user",
            sa.Column("points", type_),
            sa.Column("joined", sa.Text, server_default=joined),
            sa.Column("plain", sa.Text, server_default="it's"),
        )

    async with connected(sqlite_url) as engines:
        before, after = defaulting(sa.Integer), defaulting(sa.BigInteger)
        new = await changed(world, engines, before, after, rows=())
        await back_and_there(world, engines, new)
        await execute(engines, "INSERT INTO users_user (points) VALUES (1)")
        assert await scalar(engines, "SELECT joined || plain FROM users_user") == "it's xit's"
