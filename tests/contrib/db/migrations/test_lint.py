"""lintmigrations: what breaks, for whom, and what is safe; each rule on both sides of its edge."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from fastforge.checks import Message
from fastforge.contrib.db.migrations.errors import MigrationFileError
from fastforge.contrib.db.migrations.lint.linter import lint

from .world import World, connected, dump, run, scalar, users

TABLE = """
    def upgrade(op):
        op.create_table(
            "users_user",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", sa.String(100), nullable=False),
            sa.Column("nick", sa.String(20)),
            sa.Column("price", sa.Numeric(8, 2)),
        )
        op.create_table("users_team", sa.Column("id", sa.Integer, primary_key=True))
    def downgrade(op): pass
    """


def found(world: World, body: str, *, head: str = "", way_back: bool = True) -> Sequence[Message]:
    """What is said of a second migration whose upgrade is these lines."""
    world.write("users", "0001_initial", TABLE, down_revision=None)
    lines = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    back = "\ndef downgrade(op): pass\n" if way_back else ""
    text = f"{head}\ndef upgrade(op):\n{lines}\n{back}"
    world.write("users", "0002_next", text, down_revision="users.0001_initial")
    return [each.message for each in lint(world.history, ["users.0002_next"])]


def ids(world: World, body: str, *, head: str = "") -> list[str]:
    return [message.id.removeprefix("db.W") for message in found(world, body, head=head)]


UNSAFE = {
    "a table goes": ('op.drop_table("users_team")', ["101"]),
    "a column goes": ('op.drop_column("users_user", "nick")', ["102"]),
    "a table is renamed": ('op.rename_table("users_team", "users_group")', ["103"]),
    "a column is renamed": (
        'op.alter_column("users_user", "nick", new_column_name="name")', ["104"],
    ),
    "text becomes a number": (
        'op.alter_column("users_user", "nick", type_=sa.Integer())', ["105"],
    ),
    "text becomes shorter": (
        'op.alter_column("users_user", "nick", type_=sa.String(10))', ["105"],
    ),
    "text gets a limit after all": (
        'op.alter_column("users_user", "nick", existing_type=sa.Text(), type_=sa.CHAR(9))',
        ["105"],
    ),
    "fewer decimals": ('op.alter_column("users_user", "price", type_=sa.Numeric(9, 1))', ["105"]),
    "a column becomes NOT NULL": (
        'op.alter_column("users_user", "nick", nullable=False)', ["106"],
    ),
    "a NOT NULL column that nothing fills": (
        'op.add_column("users_user", sa.Column("age", sa.Integer, nullable=False))', ["107"],
    ),
    "a NOT NULL column that is filled at once": (
        """
        op.add_column("users_user", sa.Column("age", sa.Integer))
        op.execute("UPDATE users_user SET age = 1")
        op.alter_column("users_user", "age", nullable=False)
        """,
        ["114", "107"],
    ),
    "an index": ('op.create_index("ix_nick", "users_user", ["nick"])', ["108"]),
    "a unique index": ('op.create_index("ix_nick", "users_user", ["nick"], unique=True)', ["108"]),
    "a foreign key": (
        """
        with op.batch_alter_table("users_user") as batch_op:
            batch_op.add_column(sa.Column("team_id", sa.Integer()))
            batch_op.create_foreign_key("fk_team", "users_team", ["team_id"], ["id"])
        """,
        ["109"],
    ),
    "a new column with all that it can have": (
        'op.add_column("users_user", sa.Column("t", sa.ForeignKey("users_team.id"), index=True,'
        " unique=True))",
        ["108", "109"],
    ),
    "a check": ('op.create_check_constraint("ck_nick", "users_user", "nick <> \'\'")', ["110"]),
    "a unique constraint": (
        'op.create_unique_constraint("uq_nick", "users_user", ["nick"])', ["111"],
    ),
    "a default that is random": (
        'op.add_column("users_user", sa.Column("key", sa.Uuid, server_default='
        'sa.text("gen_random_uuid()")))',
        ["112"],
    ),
    "a default that counts": (
        'op.add_column("users_user", sa.Column("n", sa.Integer, sa.Identity()))', ["112"],
    ),
    "a stored value": (
        'op.add_column("users_user", sa.Column("n", sa.Integer, sa.Computed("id + 1", True)))',
        ["112"],
    ),
    "json": ('op.add_column("users_user", sa.Column("data", sa.JSON()))', ["113"]),
    "rows with the schema": (
        """
        op.add_column("users_user", sa.Column("age", sa.Integer()))
        op.execute("UPDATE users_user SET age = 1")
        """,
        ["114"],
    ),
    "rows by a connection": (
        """
        op.add_column("users_user", sa.Column("age", sa.Integer()))
        op.get_bind().execute(sa.table("users_user", sa.column("age")).update().values(age=1))
        """,
        ["114"],
    ),
    "rows with a schema in SQL": (
        """
        op.execute("ALTER TABLE users_user ADD COLUMN age INTEGER")
        op.bulk_insert(sa.table("users_team", sa.column("id")), [{"id": 1}])
        """,
        ["114"],
    ),
    "an index made concurrently in a transaction": (
        'op.create_index("ix", "users_user", ["nick"], postgresql_concurrently=True)', ["116"],
    ),
    "the same in SQL": ('op.execute("CREATE INDEX CONCURRENTLY ix ON users_user (nick)")', ["116"]),
    "a default that goes at once": (
        """
        op.add_column(
            "users_user", sa.Column("age", sa.Integer, server_default="1", nullable=False)
        )
        op.alter_column("users_user", "age", server_default=None)
        """,
        ["118"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), UNSAFE.values(), ids=UNSAFE)
def test_what_breaks_is_found_on_its_line(world: World, body: str, expected: list[str]) -> None:
    messages = found(world, body)
    assert [message.id.removeprefix("db.W") for message in messages] == expected
    source = (world.folder("users").path / "0002_next.py").read_text().splitlines()
    for message in messages:
        assert message.where is not None
        assert "op." in source[message.where.line - 1]
        assert message.text
        assert message.hint


RAW_SQL = {
    "create unique  index if not exists ix on only public.users_user (nick)": "108",
    "CREATE INDEX ON users_user USING gin (nick)": "108",
    "-- old\nDROP TABLE IF EXISTS users_team CASCADE": "101",
    'ALTER TABLE "users_user" ADD COLUMN a int, DROP COLUMN "nick"': "102",
    "ALTER TABLE users_team RENAME TO users_group": "103",
    "ALTER TABLE users_user RENAME nick TO name": "104",
    "ALTER TABLE users_user ALTER nick TYPE integer USING nick::integer": "105",
    "ALTER TABLE ONLY users_user ALTER COLUMN nick SET NOT NULL": "106",
    "ALTER TABLE users_user ADD age int NOT NULL": "107",
    "ALTER TABLE users_user ADD CONSTRAINT fk FOREIGN KEY (nick) REFERENCES users_team (id)": "109",
    "ALTER TABLE users_user ADD CHECK (nick <> 'a, b')": "110",
    "ALTER TABLE users_user ADD CONSTRAINT uq UNIQUE (nick)": "111",
    "ALTER TABLE users_user ADD COLUMN n bigserial": "112",
    "ALTER TABLE users_user ADD n int GENERATED ALWAYS AS (id + 1) STORED": "112",
    "ALTER TABLE users_user ADD COLUMN key uuid DEFAULT gen_random_uuid()": "112",
    "ALTER TABLE users_user ADD COLUMN data json": "113",
}


@pytest.mark.parametrize(("sql", "expected"), RAW_SQL.items())
@pytest.mark.parametrize("way", ["op.execute", "op.get_bind().exec_driver_sql"])
def test_raw_sql_is_judged_as_the_operation_that_it_stands_for(
    world: World, sql: str, expected: str, way: str
) -> None:
    (message,) = found(world, f"{way}({sql!r})")
    assert message.id == f"db.W{expected}"
    source = (world.folder("users").path / "0002_next.py").read_text().splitlines()
    assert message.where is not None
    assert way in source[message.where.line - 1]


SAFE = {
    "a table that is new": """
        op.create_table(
            "users_new",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("team_id", sa.ForeignKey("users_team.id"), unique=True),
            sa.Column("data", sa.JSON(), nullable=False),
            sa.CheckConstraint("id > 0", name="positive"),
        )
        op.create_index("ix_new", "users_new", ["team_id"])
        op.bulk_insert(sa.table("users_new", sa.column("id")), [{"id": 1}])
        op.rename_table("users_new", "users_newer")
        op.drop_table("users_newer")
        """,
    "a nullable column": 'op.add_column("users_user", sa.Column("age", sa.Integer()))',
    "a column with a default": """
        op.add_column(
            "users_user", sa.Column("age", sa.Integer, server_default="1", nullable=False)
        )
        """,
    "a default that is one value for all rows": """
        op.add_column(
            "users_user", sa.Column("at", sa.DateTime, server_default=sa.func.now(), nullable=False)
        )
        """,
    "longer text": 'op.alter_column("users_user", "nick", type_=sa.String(50))',
    "text without a limit": 'op.alter_column("users_user", "nick", type_=sa.Text())',
    "more digits": 'op.alter_column("users_user", "price", type_=sa.Numeric(10, 2))',
    "the same type again": 'op.alter_column("users_user", "nick", type_=sa.String(20))',
    "NOT NULL where it is already": 'op.alter_column("users_user", "email", nullable=False)',
    "NULL allowed": 'op.alter_column("users_user", "email", nullable=True)',
    "jsonb": """
        from sqlalchemy.dialects.postgresql import JSONB
        op.add_column(
            "users_user", sa.Column("data", sa.JSON().with_variant(JSONB(), "postgresql"))
        )
        """,
    "constraints that are checked later": """
        op.create_check_constraint(
            "ck_nick", "users_user", "nick <> ''", postgresql_not_valid=True
        )
        op.create_foreign_key(
            "fk_id", "users_user", "users_team", ["id"], ["id"], postgresql_not_valid=True
        )
        op.execute("ALTER TABLE users_user VALIDATE CONSTRAINT ck_nick")
        """,
    "an index that goes": """
        op.execute("SELECT 1")
        op.drop_index("ix_nick", table_name="users_user", if_exists=True)
        """,
    "a function, which changes rows when it is called": """
        op.add_column("users_user", sa.Column("age", sa.Integer))
        op.execute(
            "CREATE FUNCTION older() RETURNS trigger AS $body$ BEGIN NEW.age = 1;"
            " UPDATE users_user SET nick = 'a'; RETURN NEW; END $body$ LANGUAGE plpgsql"
        )
        """,
    "a value that reads like a statement": """
        op.add_column("users_user", sa.Column("age", sa.Integer))
        op.execute("COMMENT ON TABLE users_user IS 'old; UPDATE users_user SET age = 1'")
        """,
    "SQL that is as careful": """
        op.execute("ALTER TABLE users_user ADD COLUMN IF NOT EXISTS age int")
        op.execute("ALTER TABLE users_user ADD COLUMN size int NOT NULL DEFAULT 1")
        op.execute("ALTER TABLE users_user ALTER COLUMN nick TYPE varchar(50)")
        op.execute("ALTER TABLE users_user ALTER price SET DATA TYPE numeric(10, 2)")
        op.execute("ALTER TABLE users_user ALTER nick DROP NOT NULL, ALTER age SET DEFAULT 2")
        op.execute("ALTER TABLE users_user ADD CONSTRAINT ck CHECK (nick <> 'a') NOT VALID")
        op.execute("ALTER TABLE users_user ADD CONSTRAINT uq UNIQUE USING INDEX ix_nick")
        op.execute("ALTER TABLE users_user RENAME CONSTRAINT pk_users_user TO pk")
        op.execute("ALTER TABLE users_user DROP CONSTRAINT IF EXISTS uq")
        """,
    "SQL for a table that is new": """
        op.execute("CREATE TABLE IF NOT EXISTS users_new (id int); CREATE INDEX ON users_new (id)")
        op.execute("ALTER TABLE users_new ADD COLUMN age int NOT NULL, ADD UNIQUE (id)")
        """,
    "SQL that is like nothing here": """
        op.execute("CREATE EXTENSION IF NOT EXISTS citext")
        op.execute("ALTER TABLE users_user OWNER TO somebody")
        op.execute("ALTER TABLE users_user ADD EXCLUDE (nick WITH =) WHERE (nick IS NOT NULL)")
        op.execute("ALTER")
        op.execute("ALTER TABLE users_user ALTER nick")
        op.execute("CREATE INDEX")
        op.execute("COMMENT ON TABLE users_user IS 'a; DROP TABLE users_user'")
        """,
    "rows alone": "op.execute(\"UPDATE users_user SET nick = 'a'\")",
    "rows and a new table": """
        op.create_table("users_new", sa.Column("id", sa.Integer, primary_key=True))
        op.execute("DELETE FROM users_user")
        """,
}


@pytest.mark.parametrize("body", SAFE.values(), ids=SAFE)
def test_what_is_safe_is_let_through(world: World, body: str) -> None:
    assert ids(world, body) == []


def test_a_column_that_makemigrations_fills_is_found_and_one_with_a_default_is_not(
    world: World,
) -> None:
    """The file is right for a small table; of a large one, and of old code, the linter knows."""
    world.make(users)
    world.make(lambda m: users(m, sa.Column("age", sa.Integer, nullable=False)), fill=lambda _: "0")
    world.make(
        lambda m: users(
            m,
            sa.Column("age", sa.Integer, nullable=False),
            sa.Column("size", sa.Integer, nullable=False, server_default="0"),
        )
    )
    found = lint(world.history, ["users.0002_add_age", "users.0003_add_size"])
    assert [(each.migration.name, each.message.id) for each in found] == [
        ("0002_add_age", "db.W114"),
        ("0002_add_age", "db.W107"),
    ]


CONCURRENTLY = 'op.create_index("ix", "users_user", ["nick"], postgresql_concurrently=True)'


def test_a_file_that_runs_in_no_transaction_does_one_thing(world: World) -> None:
    head = "atomic = False"
    assert ids(world, CONCURRENTLY, head=head) == []
    several = f'op.add_column("users_user", sa.Column("age", sa.Integer()))\n{CONCURRENTLY}'
    assert ids(world, several, head=head) == ["117"]


def test_a_way_back_is_missed(world: World) -> None:
    (message,) = found(world, "pass", way_back=False)
    assert (message.id, message.where and message.where.line) == ("db.W115", 1)


def test_a_reason_in_the_file_silences_it_and_none_is_refused(world: World) -> None:
    body = 'op.drop_table("users_team")'
    assert ids(world, body, head='safe = "nobody has used it since the spring"') == []
    for nothing in ("True", "''", "' '"):
        with pytest.raises(BaseException, match=r"\[db.E153\].*which is no reason"):
            ids(world, body, head=f"safe = {nothing}")


def test_a_column_with_a_validated_check_may_become_not_null(world: World) -> None:
    """PostgreSQL takes the check for a proof, and reads nothing."""
    world.write("users", "0001_initial", TABLE)
    check = """
        def upgrade(op):
            op.create_check_constraint(
                "nick", "users_user", "nick IS NOT NULL", postgresql_not_valid=True
            )
        def downgrade(op): pass
        """
    required = """
        def upgrade(op):
            op.alter_column("users_user", "nick", nullable=False)
        def downgrade(op): pass
        """
    validate = """
        def upgrade(op):
            op.execute("ALTER TABLE users_user VALIDATE CONSTRAINT ck_users_user_nick")
        def downgrade(op): pass
        """
    world.write("users", "0002_check", check)
    path = world.write("users", "0003_required", required)
    (finding,) = lint(world.history, [each.id for each in world.history])
    assert finding.message.id == "db.W106"
    path.unlink()
    world.write("users", "0003_validate", validate)
    world.write("users", "0004_required", required)
    assert lint(world.history, [each.id for each in world.history]) == ()


def test_a_file_that_cannot_be_replayed_is_told(world: World) -> None:
    with pytest.raises(MigrationFileError, match=r"\[db.E106\]"):
        found(world, "op.drop_table(op.get_bind().execute('x').first()[0])")


def teams(metadata: sa.MetaData, *more: Any) -> None:
    """`users_team` and `users_user`, which may refer to it."""
    sa.Table("users_team", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "users_user",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("nick", sa.String(20)),
        sa.Column("team_id", sa.Integer),
        *more,
    )


def linked_teams(metadata: sa.MetaData) -> None:
    """The same with a foreign key, a CHECK and a unique index."""
    teams(
        metadata,
        sa.ForeignKeyConstraint(["team_id"], ["users_team.id"]),
        sa.CheckConstraint("nick <> ''", name="nick_is_there"),
        sa.Index("ix_users_user_nick", "nick", unique=True),
    )


SAFE_WAY = (
    """
    def upgrade(op):
        with op.batch_alter_table("users_user") as batch_op:
            batch_op.create_foreign_key(
                "fk_users_user_team_id_users_team", "users_team", ["team_id"], ["id"],
                postgresql_not_valid=True,
            )
            batch_op.create_check_constraint(
                "nick_is_there", "nick <> ''", postgresql_not_valid=True
            )
    def downgrade(op): pass
    """,
    """
    def upgrade(op):
        if op.get_context().dialect.name == "postgresql":
            for name in ("fk_users_user_team_id_users_team", "ck_users_user_nick_is_there"):
                op.execute(f"ALTER TABLE users_user VALIDATE CONSTRAINT {name}")
    def downgrade(op): pass
    """,
    """
    atomic = False
    def upgrade(op):
        op.create_index(
            "ix_users_user_nick", "users_user", ["nick"], unique=True,
            postgresql_concurrently=True,
        )
    def downgrade(op): pass
    """,
)


@pytest.mark.anyio
async def test_the_safe_way_works_and_leads_where_the_models_are(
    world: World, each_database_url: str
) -> None:
    """What the linter proposes is let through, runs on every database, and leaves no difference."""
    world.make(teams)
    for number, body in enumerate(SAFE_WAY, 2):
        world.write("users", f"{number:04}_step", body)
    assert lint(world.history, [each.id for each in world.history]) == ()
    assert world.missing(linked_teams) == ()
    async with connected(each_database_url) as engines:
        await run(engines, world)
        if engines.engine.dialect.name == "postgresql":
            invalid = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"
            assert await scalar(engines, invalid) == 0
        names = (await dump(engines))["users_user"]
    assert "ck_users_user_nick_is_there" in names["checks"]
