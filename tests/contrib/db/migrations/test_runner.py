"""migrate: on SQLite and on PostgreSQL with both drivers, forwards and backwards."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge.contrib.db.migrations.errors import (
    DatabaseAhead,
    MigrationError,
    MigrationFailed,
    MigrationLockHeld,
)
from fastforge.contrib.db.migrations.lock import migration_lock
from fastforge.contrib.db.migrations.plan import ZERO, PlannedStep, Target
from fastforge.contrib.db.migrations.sentinel import holder_of, sentinel_path
from fastforge.contrib.db.migrations.sql import sql_of

from .world import (
    World,
    applied,
    connected,
    dump,
    execute,
    no,
    posts,
    run,
    scalar,
    two_apps,
    users,
    yes,
)

pytestmark = pytest.mark.anyio

ROWS = (
    "INSERT INTO users_user (id, email) VALUES (1, 'a')",
    "INSERT INTO blog_post (id, author_id, title) VALUES (1, 1, 't')",
)


class Decorated(sa.TypeDecorator[int]):
    """A user's own kind of number."""

    impl = sa.BigInteger
    cache_ok = True


def everything(metadata: sa.MetaData) -> None:
    """A later state, by nearly every kind of change."""
    users(
        metadata,
        sa.Column("age", sa.Integer, nullable=False, server_default="0"),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("live", sa.Boolean, server_default=sa.true(), nullable=False),
        sa.Column("colour", sa.Enum("red", "blue", name="colour")),
        sa.Column("key", sa.Uuid, unique=True),
        sa.CheckConstraint("age >= 0", name="age_positive"),
    )
    table = posts(metadata, sa.Column("views", sa.BigInteger, server_default="7"), title="headline")
    sa.Index("ix_blog_post_lower", sa.func.lower(table.c.headline))
    sa.Table(
        "blog_comment",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("post_id", sa.ForeignKey("blog_post.id"), index=True),
        sa.Column("colour", sa.Enum("red", "blue", name="colour")),
    )


async def test_migrations_are_applied_once(world: World, each_database_url: str) -> None:
    world.make(two_apps)
    async with connected(each_database_url) as engines:
        first = await run(engines, world)
        second = await run(engines, world)
        assert [step.migration.id for step in first.done] == [
            "users.0001_initial",
            "blog.0001_initial",
        ]
        assert second.done == ()
        assert await applied(engines) == {"users.0001_initial", "blog.0001_initial"}
        await execute(engines, *ROWS)


async def test_rows_survive_every_kind_of_change(world: World, each_database_url: str) -> None:
    """On SQLite a changed table is made anew, and its children refer to it ON DELETE CASCADE."""
    world.make(two_apps)
    async with connected(each_database_url) as engines:
        await run(engines, world)
        await execute(engines, *ROWS)
        world.make(everything, ask=yes)
        await run(engines, world)
        assert await scalar(engines, "SELECT headline FROM blog_post") == "t"
        assert await scalar(engines, "SELECT views FROM blog_post") == 7
        assert await scalar(engines, "SELECT age FROM users_user") == 0
        assert world.missing(everything) == ()


async def test_up_down_up_gives_the_same_schema(world: World, each_database_url: str) -> None:
    world.make(two_apps)
    async with connected(each_database_url) as engines:
        await run(engines, world)
        first = await dump(engines)
        world.make(everything, ask=yes)
        await run(engines, world)
        second = await dump(engines)
        assert second != first
        await run(engines, world, Target(label="users", name="0001"))
        await run(engines, world, Target(label="blog", name="1"))
        assert await dump(engines) == first
        await run(engines, world)
        assert await dump(engines) == second
        await run(engines, world, Target(label="users", name=ZERO))
        assert set(await dump(engines)) == {"fastforge_migration"}
        await run(engines, world)
        assert await dump(engines) == second


async def test_a_database_made_by_migrations_equals_one_made_from_the_models(
    world: World, each_database_url: str
) -> None:
    """Step by step, with answers, or at once: the tables are the same."""
    world.make(two_apps)
    world.make(everything, ask=yes)
    async with connected(each_database_url) as engines:
        await run(engines, world)
        step_by_step = await dump(engines)
        await run(engines, world, Target(label="users", name=ZERO))
        fresh = World(world.path / "fresh")
        fresh.make(everything)
        await run(engines, fresh)
        assert await dump(engines) == step_by_step


@pytest.mark.parametrize("type_", [sa.BigInteger, sa.SmallInteger, Decorated])
async def test_a_primary_key_of_any_integer_type_is_numbered_by_the_database(
    world: World, each_database_url: str, type_: type[sa.types.TypeEngine[int]]
) -> None:
    """SQLite numbers an INTEGER and nothing else; the file is one for both."""

    def pets(metadata: sa.MetaData, *columns: sa.Column[Any]) -> None:
        key = sa.Column("id", type_(), primary_key=True)
        sa.Table("users_pet", metadata, key, sa.Column("name", sa.String(9)), *columns)

    (new,) = world.make(pets)
    assert "with_variant" not in new.source
    insert = "INSERT INTO users_pet (name) VALUES ('a'), ('b')"
    async with connected(each_database_url) as engines:
        await run(engines, world)
        await execute(engines, insert)
        assert await scalar(engines, "SELECT max(id) FROM users_pet") == 2
        # On SQLite it is made anew.
        world.make(lambda m: pets(m, sa.Column("age", sa.Integer, server_default="0")))
        await run(engines, world)
        await execute(engines, insert)
        assert await scalar(engines, "SELECT max(id) FROM users_pet") == 4
    step = PlannedStep(migration=world.history["users.0001_initial"], forward=True)
    assert "id INTEGER NOT NULL" in sql_of(world.history, step, dialect_name="sqlite")


async def test_taking_back_an_app_takes_back_what_depends_on_it(
    world: World, each_database_url: str
) -> None:
    world.make(two_apps)
    async with connected(each_database_url) as engines:
        await run(engines, world)
        report = await run(engines, world, Target(label="users", name=ZERO))
        assert [str(step) for step in report.done] == [
            "take back blog.0001_initial",
            "take back users.0001_initial",
        ]


async def test_an_app_alone_takes_along_what_it_needs(world: World, each_database_url: str) -> None:
    world.make(two_apps)
    world.write("users", "0002_more", "def upgrade(op): pass")
    async with connected(each_database_url) as engines:
        report = await run(engines, world, Target(label="blog"))
        assert [step.migration.id for step in report.done] == [
            "users.0001_initial",
            "blog.0001_initial",
        ]


async def test_a_failing_migration_leaves_nothing_behind(
    world: World, each_database_url: str
) -> None:
    world.make(two_apps)
    path = world.write(
        "blog",
        "0002_half",
        """
        def upgrade(op):
            op.create_table("blog_half", sa.Column("id", sa.Integer, primary_key=True))
            op.execute("INSERT INTO nowhere VALUES (1)")
        """,
    )
    async with connected(each_database_url) as engines:
        with pytest.raises(MigrationFailed) as caught:
            await run(engines, world)
        message = str(caught.value)
        assert message.startswith(f"[db.E122] {path}:")
        assert "cannot apply blog.0002_half" in message
        assert "at its statement 2: INSERT INTO nowhere VALUES (1); it was rolled back" in message
        assert message.endswith("staying: apply users.0001_initial, apply blog.0001_initial")
        assert len(message.splitlines()) == 1
        assert "blog_half" not in await dump(engines)
        assert await applied(engines) == {"users.0001_initial", "blog.0001_initial"}


async def test_alembics_autocommit_block_is_told_its_replacement(
    world: World, each_postgres_url: str
) -> None:
    body = """
        def upgrade(op):
            if not op.get_context().as_sql:
                with op.get_context().autocommit_block():
                    op.execute("SELECT 1")
        """
    world.write("users", "0001_initial", body)
    async with connected(each_postgres_url) as engines:
        with pytest.raises(MigrationFailed, match=r"write `atomic = False` in the file"):
            await run(engines, world)


async def test_a_migration_without_a_way_back_says_so(world: World, each_database_url: str) -> None:
    world.write("users", "0001_initial", "def upgrade(op): pass")
    async with connected(each_database_url) as engines:
        await run(engines, world)
        with pytest.raises(MigrationError, match=r"\[db.E123\].*users.0001_initial cannot be"):
            await run(engines, world, Target(label="users", name=ZERO))


async def test_fake_notes_and_runs_nothing(world: World, each_database_url: str) -> None:
    world.make(two_apps)
    async with connected(each_database_url) as engines:
        await run(engines, world, fake=True)
        assert len(await applied(engines)) == 2
        assert set(await dump(engines)) == {"fastforge_migration"}


async def test_data_steps_run(world: World, each_database_url: str) -> None:
    """op.execute, op.bulk_insert and op.get_bind all reach the database, and no replay."""
    world.make(two_apps)
    world.write(
        "users",
        "0002_data",
        """
        def upgrade(op):
            users = sa.table("users_user", sa.column("id"), sa.column("email"))
            op.bulk_insert(users, [{"id": 5, "email": "b"}])
            op.execute(users.insert().values(id=6, email="c"))
            for row in op.get_bind().execute(sa.select(users.c.email)):
                op.get_bind().execute(
                    users.update().where(users.c.email == row.email).values(email=row.email * 2)
                )
        """,
    )
    assert world.missing(two_apps) == ()
    async with connected(each_database_url) as engines:
        await run(engines, world)
        assert await scalar(engines, "SELECT max(email) FROM users_user") == "cc"


async def test_a_database_ahead_of_the_code_is_its_own_message(
    world: World, each_database_url: str
) -> None:
    """Old processes may start beside new code; they must not change what they do not know."""
    world.make(two_apps)
    newer = world.write("blog", "0002_new", "def upgrade(op): pass")
    async with connected(each_database_url) as engines:
        await run(engines, world)
        newer.unlink()
        report = await run(engines, world)
        assert (report.done, report.ahead) == ((), ("blog.0002_new",))
        with pytest.raises(DatabaseAhead, match=r"\[db.E121\] .*blog.0002_new"):
            await run(engines, world, Target(label="blog", name=ZERO))


async def test_what_a_removed_app_left_is_nobodys_business(
    world: World, each_database_url: str
) -> None:
    world.make(two_apps)
    async with connected(each_database_url) as engines:
        await run(engines, world)
        without_blog = World(world.path, labels=("users",))
        report = await run(engines, without_blog)
        assert (report.done, report.ahead) == ((), ())


async def test_tables_of_strangers_stay(world: World, each_database_url: str) -> None:
    world.make(two_apps)
    async with connected(each_database_url) as engines:
        await execute(engines, "CREATE TABLE stranger (id INTEGER)")
        await run(engines, world)
        (new,) = world.make(users, ask=no)
        assert "stranger" not in new.source
        await run(engines, world)
        assert set(await dump(engines)) == {"stranger", "users_user", "fastforge_migration"}


async def test_sqlite_refuses_a_migration_that_leaves_rows_without_a_parent(
    world: World, sqlite_url: str
) -> None:
    world.make(two_apps)
    world.write("users", "0002_clean", 'def upgrade(op): op.execute("DELETE FROM users_user")')
    async with connected(sqlite_url) as engines:
        await run(engines, world, Target(label="blog"))
        await execute(engines, *ROWS)
        with pytest.raises(MigrationFailed, match=r"\[db.E124\].*1 rows.*blog_post to users_user"):
            await run(engines, world)
        assert await scalar(engines, "SELECT count(*) FROM users_user") == 1


async def test_an_index_is_made_concurrently_while_the_lock_is_held(
    world: World, each_postgres_url: str
) -> None:
    world.make(two_apps)
    world.write(
        "blog",
        "0002_index",
        """
        atomic = False
        def upgrade(op):
            op.create_index(
                "ix_title", "blog_post", ["title"], postgresql_concurrently=True
            )
        """,
    )
    async with connected(each_postgres_url) as engines:
        await run(engines, world)
        assert "ix_title" in (await dump(engines))["blog_post"]["names"]


async def test_what_runs_in_no_transaction_tells_what_it_leaves_and_how_to_go_on(
    world: World, each_postgres_url: str
) -> None:
    """Over rows that are alike: PostgreSQL keeps the index, and it is good for nothing."""
    world.make(two_apps)
    world.write(
        "blog",
        "0002_index",
        """
        atomic = False
        def upgrade(op):
            op.execute("CREATE TABLE blog_left (id INTEGER)")
            op.create_index(
                "ix_title", "blog_post", ["title"], unique=True, postgresql_concurrently=True
            )
        """,
    )
    async with connected(each_postgres_url) as engines:
        await run(engines, world, Target(label="blog", name="0001"))
        await execute(engines, *ROWS)
        await execute(engines, "INSERT INTO blog_post (id, author_id, title) VALUES (2, 1, 't')")
        with pytest.raises(MigrationFailed) as caught:
            await run(engines, world)
        message = str(caught.value)
        assert "at its statement 2: CREATE UNIQUE INDEX CONCURRENTLY ix_title" in message
        assert "what it did stays: CREATE TABLE blog_left (id INTEGER); not valid" in message
        assert "to be dropped: ix_title; nothing was done before it; migrate begins it" in message
        assert "anew at its first statement: undo what is there, and migrate again" in message
        assert "or run the rest by hand, from statement 2 on, and say:" in message
        assert "manage migrate blog 0002_index --fake" in message
        assert "blog.0002_index" not in await applied(engines)
        with pytest.raises(MigrationFailed) as tried_again:
            await run(engines, world)
        message = str(tried_again.value)
        assert "at its statement 1: CREATE TABLE blog_left (id INTEGER)" in message
        assert "is there, perhaps from an attempt before this one; nothing was done" in message
        assert message.endswith(caught.value.hint.replace("statement 2", "statement 1"))
        await execute(
            engines, "DROP TABLE blog_left", "DROP INDEX ix_title", "DELETE FROM blog_post"
        )
        assert len((await run(engines, world)).done) == 1


async def test_what_is_half_taken_back_tells_how_to_go_on(
    world: World, each_postgres_url: str
) -> None:
    world.make(two_apps)
    world.write(
        "blog",
        "0002_index",
        """
        atomic = False
        def upgrade(op):
            op.execute("CREATE TABLE blog_left (id INTEGER)")
        def downgrade(op):
            op.execute("DROP TABLE blog_left")
            op.execute("DROP TABLE blog_nowhere")
        """,
    )
    way_on = r"from statement {} on, and say: manage migrate blog 0001_initial --fake$"
    back = Target(label="blog", name="0001")
    async with connected(each_postgres_url) as engines:
        await run(engines, world)
        with pytest.raises(MigrationFailed, match=way_on.format(2)) as caught:
            await run(engines, world, back)
        assert "what it did stays: DROP TABLE blog_left; what this statement drops is gone" in str(
            caught.value
        )
        with pytest.raises(MigrationFailed, match=way_on.format(1)) as caught:
            await run(engines, world, back)
        assert "runs in no transaction; what this statement drops is gone, perhaps since" in str(
            caught.value
        )


async def test_a_first_statement_that_fails_outside_a_transaction_leaves_nothing_to_undo(
    world: World, each_postgres_url: str
) -> None:
    body = 'atomic = False\ndef upgrade(op): op.execute("INSERT INTO nowhere VALUES (1)")'
    world.write("users", "0001_initial", body)
    async with connected(each_postgres_url) as engines:
        with pytest.raises(MigrationFailed, match="none of its statements had ended") as caught:
            await run(engines, world)
        assert caught.value.hint == ""


async def test_on_sqlite_such_a_migration_is_rolled_back_and_says_so(
    world: World, sqlite_url: str
) -> None:
    world.write(
        "users",
        "0001_two_steps",
        """
        atomic = False
        def upgrade(op):
            op.create_table("users_user", sa.Column("id", sa.Integer, primary_key=True))
            op.execute("INSERT INTO nowhere VALUES (1)")
        """,
    )
    async with connected(sqlite_url) as engines:
        with pytest.raises(MigrationFailed, match="it was rolled back; nothing was done") as caught:
            await run(engines, world)
        assert caught.value.hint == ""
        assert "users_user" not in await dump(engines)


async def test_an_index_made_concurrently_waits_for_an_old_transaction_as_long_as_it_takes(
    world: World, each_postgres_url: str
) -> None:
    """It waits for them, and nobody behind it; ended by lock_timeout it would be left invalid."""
    world.make(two_apps)
    world.write(
        "blog",
        "0002_index",
        """
        atomic = False
        def upgrade(op):
            op.execute("SET lock_timeout = '100ms'")
            op.create_index(
                "ix_title", "blog_post", ["title"], postgresql_concurrently=True
            )
            op.execute("CREATE TABLE blog_seen AS SELECT current_setting('lock_timeout') AS limit")
        """.replace("AS limit", "AS value"),
    )
    long = (
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%%'"
        " AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - interval '0.5 s'"
    )
    async with connected(each_postgres_url) as readers, connected(each_postgres_url) as watchers:
        await run(readers, world, Target(label="blog", name="0001"))
        async with readers.engine.connect() as reader:
            await reader.exec_driver_sql("UPDATE blog_post SET title = 'x'")
            async with connected(each_postgres_url) as engines:
                migrating = asyncio.create_task(run(engines, world))
                await until(lambda: scalar(watchers, long), is_true=True)
                assert not migrating.done()
                await reader.rollback()
                await migrating
        assert await scalar(readers, "SELECT value FROM blog_seen") == "100ms"


async def test_a_lock_that_is_lost_stops_the_next_migration(
    world: World, each_postgres_url: str
) -> None:
    kill = """
        def upgrade(op):
            op.execute(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l JOIN pg_database AS d"
                " ON d.oid = l.database WHERE l.locktype = 'advisory'"
                " AND d.datname = current_database()"
            )
        """
    world.write("users", "0001_kills_the_holder", kill)
    world.write("users", "0002_next", "def upgrade(op): pass")
    async with connected(each_postgres_url) as engines:
        with pytest.raises(MigrationError, match=r"\[db.E154\] the connection that holds"):
            await run(engines, world)
        assert await applied(engines) == {"users.0001_kills_the_holder"}
        assert len((await run(engines, world)).done) == 1


async def test_who_waits_too_long_for_the_lock_is_told_who_holds_it(
    world: World, each_postgres_url: str
) -> None:
    world.make(two_apps)
    async with connected(each_postgres_url) as holder, connected(each_postgres_url) as engines:
        async with migration_lock(holder.engine, wait_s=0):
            with pytest.raises(MigrationLockHeld, match=r"\[db.E120\] the server process \d+"):
                await run(engines, world, wait_s=0.3)
        assert len((await run(engines, world, wait_s=0.3)).done) == 2


async def test_the_lock_of_sqlite_is_a_file_that_is_gone_afterwards(
    world: World, sqlite_url: str
) -> None:
    world.make(two_apps)
    file = sentinel_path(sqlite_url.partition("///")[2])
    async with connected(sqlite_url) as holder, connected(sqlite_url) as engines:
        async with migration_lock(holder.engine, wait_s=0):
            told = rf"\[db.E120\] the process {os.getpid()}, which began \d+ s ago, holds"
            with pytest.raises(MigrationLockHeld, match=told):
                await run(engines, world, wait_s=0)
        assert len((await run(engines, world, wait_s=0)).done) == 2
    assert holder_of(file) == "another process"  # there is no such file any more


async def test_a_lock_that_cannot_be_made_is_told(world: World, sqlite_url: str) -> None:
    async with connected(sqlite_url) as engines:
        path = sentinel_path(str(engines.engine.url.database))
        path.mkdir()
        with pytest.raises(MigrationError, match=r"db.E157.*sqlite3-migrating, beside.*directory"):
            await run(engines, world)


async def test_sqlite_that_another_process_writes_to_is_told(world: World, sqlite_url: str) -> None:
    world.make(two_apps)
    impatient = connected(sqlite_url, lock_timeout_s=0.2)
    async with connected(sqlite_url) as holder, impatient as engines:
        async with holder.engine.begin():
            with pytest.raises(MigrationLockHeld, match=r"\[db.E120\]"):
                await run(engines, world, wait_s=0.2)
        assert len((await run(engines, world)).done) == 2


async def test_an_unknown_target_is_told_with_the_nearest(world: World, sqlite_url: str) -> None:
    world.make(two_apps)
    async with connected(sqlite_url) as engines:
        with pytest.raises(MigrationError, match=r"\[db.E107\].*did you mean 'blog'"):
            await run(engines, world, Target(label="blgo"))
        with pytest.raises(MigrationError, match=r"\[db.E108\].*did you mean '0001_initial'"):
            await run(engines, world, Target(label="blog", name="0001_intial"))


async def test_a_migration_that_cannot_lock_its_table_lets_others_pass_and_tries_again(
    world: World, each_postgres_url: str
) -> None:
    """A waiting ALTER TABLE makes every later reader wait; so it gives up, and comes again."""
    world.make(two_apps)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with connected(each_postgres_url) as readers, connected(each_postgres_url) as watchers:
        await run(readers, world)
        world.write(
            "blog",
            "0002_wider",
            """
            def upgrade(op):
                op.execute("SET LOCAL lock_timeout = '200ms'")
                op.alter_column("blog_post", "title", type_=sa.Text())
            """,
        )
        async with readers.engine.connect() as reader:
            await reader.exec_driver_sql("SELECT * FROM blog_post")
            async with connected(each_postgres_url) as engines:
                migrating = asyncio.create_task(run(engines, world))
                await until(lambda: scalar(watchers, waiting), is_true=True)
                await until(lambda: scalar(watchers, waiting), is_true=False)
                assert not migrating.done()
                await reader.rollback()
                report = await migrating
        assert [step.migration.id for step in report.done] == ["blog.0002_wider"]


async def test_a_migration_that_the_server_ends_for_a_deadlock_is_tried_again(
    world: World, each_postgres_url: str
) -> None:
    world.make(two_apps)
    asked = "SELECT count(*) FROM pg_locks WHERE {} AND relation = 'users_user'::regclass"
    waits, has = asked.format("NOT granted"), asked.format("granted AND mode LIKE 'AccessEx%%'")
    body = f"""
        tried = []
        def upgrade(op):
            op.execute("LOCK TABLE users_user")
            tried.append(1)
            while len(tried) == 1 and not op.get_bind().exec_driver_sql({waits!r}).scalar():
                pass
            op.execute("LOCK TABLE blog_post")
            op.execute(f"CREATE TABLE blog_tried AS SELECT {{len(tried)}} AS times")
        """
    async with connected(each_postgres_url) as others, connected(each_postgres_url) as engines:
        await run(engines, world)
        world.write("blog", "0002_locks", body)
        async with others.engine.begin() as other:
            await other.exec_driver_sql("LOCK TABLE blog_post")
            migrating = asyncio.create_task(run(engines, world))
            await until(lambda: scalar(others, has), is_true=True)
            # Of two that wait for each other, the server ends the one that looks first.
            await other.exec_driver_sql("SET LOCAL deadlock_timeout = '60s'")
            await other.exec_driver_sql("LOCK TABLE users_user")
        await migrating
        assert await scalar(others, "SELECT times FROM blog_tried") == 2


async def until(ask: Callable[[], Awaitable[Any]], *, is_true: bool) -> None:
    """Wait for an answer."""
    async with asyncio.timeout(60):
        while bool(await ask()) is not is_true:
            await asyncio.sleep(0.02)


async def test_a_table_that_sqlite_makes_anew_keeps_triggers_and_indexes_over_expressions(
    world: World, sqlite_url: str
) -> None:
    """Neither can be reflected, so that alembic alone would lose both without a word."""
    world.make(two_apps)
    world.write(
        "users",
        "0002_by_hand",
        """
        def upgrade(op):
            op.create_index("ix_lower", "users_user", [sa.text("lower(email)")])
            op.execute(
                "CREATE TRIGGER small AFTER INSERT ON users_user BEGIN"
                " UPDATE users_user SET email = lower(email) WHERE id = new.id; END"
            )
        """,
    )
    world.write(
        "users",
        "0003_wider",
        """
        def upgrade(op):
            with op.batch_alter_table("users_user") as batch_op:
                batch_op.alter_column("email", type_=sa.Text())
        """,
    )
    async with connected(sqlite_url) as engines:
        await run(engines, world)
        assert "ix_lower" in (await dump(engines))["users_user"]["names"]
        await execute(engines, "INSERT INTO users_user (id, email) VALUES (1, 'A')")
        assert await scalar(engines, "SELECT email FROM users_user") == "a"


async def test_a_new_value_of_an_enum_can_be_written(world: World, each_database_url: str) -> None:
    def coloured(*values: str) -> Callable[[sa.MetaData], object]:
        return lambda metadata: users(
            metadata, sa.Column("colour", sa.Enum(*values, name="colour"), server_default="red")
        )

    world.make(coloured("red"))
    async with connected(each_database_url) as engines:
        await run(engines, world)
        await execute(engines, "INSERT INTO users_user (id, email) VALUES (1, 'a')")
        world.make(coloured("red", "green"))
        await run(engines, world)
        await execute(engines, "UPDATE users_user SET colour = 'green'")
        assert await scalar(engines, "SELECT colour FROM users_user") == "green"


async def test_text_becomes_a_number_an_enum_and_a_uuid(
    world: World, each_database_url: str
) -> None:
    """PostgreSQL casts none of them by itself."""

    def typed(*types: Any) -> Callable[[sa.MetaData], object]:
        return lambda metadata: users(
            metadata, *(sa.Column(f"c{number}", type_) for number, type_ in enumerate(types))
        )

    world.make(typed(sa.Text(), sa.Text(), sa.Text()))
    async with connected(each_database_url) as engines:
        await run(engines, world)
        await execute(
            engines,
            "INSERT INTO users_user (id, email, c0, c1, c2)"
            " VALUES (1, 'a', '7', 'red', '0f8fad5bd9cb469fa16570867728950e')",
        )
        world.make(typed(sa.Integer(), sa.Enum("red", name="colour"), sa.Uuid()))
        await run(engines, world)
        assert await scalar(engines, "SELECT c0 + 1 FROM users_user") == 8
        assert await scalar(engines, "SELECT c1 FROM users_user") == "red"
        await run(engines, world, Target(label="users", name="1"))
        assert await scalar(engines, "SELECT c0 FROM users_user") == "7"
