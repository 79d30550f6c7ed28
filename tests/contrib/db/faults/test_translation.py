"""What a driver raises is raised by what it means, wherever on the engine it comes from."""

from __future__ import annotations

import asyncio
import pickle
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event, exc, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from fastforge.contrib.db.engine import Application, make_engines
from fastforge.contrib.db.errors import (
    CheckViolation,
    CommitUnknown,
    ConnectionLost,
    DriverFault,
    ExclusionViolation,
    ForeignKeyViolation,
    InvalidText,
    LockTimeout,
    NotNullViolation,
    PoolExhausted,
    ServerUnreachable,
    SessionClosed,
    StatementTimeout,
    TooManyConnections,
    UniqueViolation,
    ValueOutOfRange,
    ValueTooLong,
    WriteOutsideAtomic,
    describe,
)
from fastforge.contrib.db.faults.facts import fault_of
from fastforge.contrib.db.faults.translation import CLASSES, place_of, translate_errors
from fastforge.contrib.db.resources import DatabaseConnection

from ..tables import Account, Entry, opened

SECRET = "s3cret"


async def add(db: DatabaseConnection, *names: str) -> None:
    async with db.engine.begin() as raw:
        for number, name in enumerate(names, 1):
            await raw.execute(sa.insert(Account).values(id=number, name=name))


def translated(url: sa.URL) -> AsyncEngine:
    engine = create_async_engine(url)
    translate_errors(engine.sync_engine)
    return engine


async def failure_of(db: DatabaseConnection, *statements: Any) -> DriverFault:
    with pytest.raises(DriverFault) as raised:
        async with db.session().atomic() as session:
            for statement in statements:
                await session.execute(statement)
    return raised.value


@pytest.mark.parametrize(
    ("statement", "kind", "also", "state", "constraint", "table", "column"),
    [
        (
            sa.insert(Account).values(id=2, name=SECRET),
            UniqueViolation,
            exc.IntegrityError,
            "23505",
            "uq_account_name",
            "account",
            None,
        ),
        (
            sa.insert(Account).values(id=1, name="other"),
            UniqueViolation,
            exc.IntegrityError,
            "23505",
            "pk_account",
            "account",
            None,
        ),
        (
            sa.insert(Account).values(id=2, name=sa.null()),
            NotNullViolation,
            exc.IntegrityError,
            "23502",
            None,
            "account",
            "name",
        ),
    ],
)
async def test_a_violation_is_the_same_on_every_driver(
    db: DatabaseConnection,
    statement: Any,
    kind: type[DriverFault],
    also: type[Exception],
    state: str,
    constraint: str | None,
    table: str,
    column: str | None,
) -> None:
    await add(db, SECRET)
    error = await failure_of(db, statement)
    assert type(error) is kind
    assert isinstance(error, also)
    told = (error.sqlstate, error.constraint, error.table, error.column)
    assert told == (state, constraint, table, column)
    assert describe(error) == error.fault


async def test_a_check_says_its_name(db: DatabaseConnection) -> None:
    table = sa.Table(
        "goods",
        sa.MetaData(),
        sa.Column("price", sa.Integer),
        sa.CheckConstraint("price > 0", name="ck_goods_price"),
    )
    async with db.engine.begin() as raw:
        await raw.run_sync(table.create)
    error = await failure_of(db, table.insert().values(price=-1))
    assert type(error) is CheckViolation
    assert (error.constraint, error.table, error.sqlstate) == ("ck_goods_price", "goods", "23514")


async def test_a_unique_index_says_its_name(db: DatabaseConnection) -> None:
    table = sa.Table(
        "seats", sa.MetaData(), sa.Column("row", sa.Integer), sa.Column("seat", sa.Integer)
    )
    sa.Index("ix_seats_row_seat", table.c.row, table.c.seat, unique=True)
    async with db.engine.begin() as raw:
        await raw.run_sync(table.create)
    insert = table.insert().values(row=1, seat=1)
    assert (await failure_of(db, insert, insert)).constraint == "ix_seats_row_seat"


async def test_a_deferred_constraint_is_told_at_commit(db: DatabaseConnection) -> None:
    error = await failure_of(db, sa.insert(Entry).values(account_id=9, text=""))
    assert type(error) is ForeignKeyViolation
    if not db.config.is_sqlite:
        assert (error.constraint, error.table) == ("fk_entry_account_id_account", "entry")


async def test_an_overlap_is_told(postgres: DatabaseConnection) -> None:
    create = "CREATE TABLE stay (during int4range, EXCLUDE USING gist (during WITH &&))"
    insert = text("INSERT INTO stay VALUES (int4range(1, 5))")
    error = await failure_of(postgres, text(create), insert, insert)
    assert type(error) is ExclusionViolation
    assert (error.constraint, error.table) == ("stay_during_excl", "stay")


async def test_a_text_that_is_too_long_is_told(postgres: DatabaseConnection) -> None:
    create = text("CREATE TABLE short (name varchar(2))")
    error = await failure_of(postgres, create, text("INSERT INTO short VALUES ('abc')"))
    assert type(error) is ValueTooLong
    assert isinstance(error, exc.DataError)


@pytest.mark.parametrize("number", [1 << 31, 10**30])
async def test_a_number_that_is_too_large_is_told(db: DatabaseConnection, number: int) -> None:
    """By the server, or by a driver that cannot send it; also where it is only compared."""
    if db.config.is_sqlite and number < 1 << 63:
        return  # an integer has 64 bits there
    for statement in (sa.select(Account.id).where(Account.id == number), numbered(number)):
        error = await failure_of(db, statement)
        assert type(error) is ValueOutOfRange
        assert isinstance(error, exc.DataError)
        assert (error.sqlstate, describe(error).sqlstate) == ("22003", "22003")
        assert error.statement
        assert not error.connection_invalidated


def numbered(number: int) -> sa.Insert:
    return sa.insert(Account).values(id=number, name="x")


async def test_a_number_that_is_too_large_is_hidden_in_production(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/a", hide_parameters=True)
    translate_errors(engine.sync_engine)
    async with engine.connect() as raw:
        with pytest.raises(ValueOutOfRange) as raised:
            await raw.execute(text("SELECT :number"), {"number": 10**30})
    assert str(10**30) not in str(raised.value)
    await engine.dispose()


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
async def test_a_text_that_no_column_can_hold_is_told(db: DatabaseConnection, name: str) -> None:
    """NUL, and half of a character; by the server, or by a driver that cannot send it."""
    if db.config.is_sqlite and "\0" in name:
        await add(db, name)
        return
    for statement in (sa.select(Account.id).where(Account.name == name), named(name)):
        error = await failure_of(db, statement)
        assert type(error) is InvalidText
        assert isinstance(error, exc.DataError)
        assert (error.sqlstate, describe(error).sqlstate) == ("22021", "22021")
        assert error.statement
        assert not error.connection_invalidated


def named(name: str) -> sa.Insert:
    return sa.insert(Account).values(id=1, name=name)


async def test_a_nul_in_json_is_told_where_it_becomes_a_text(postgres: DatabaseConnection) -> None:
    error = await failure_of(postgres, text(r"""SELECT '{"a": "\u0000"}'::jsonb"""))
    assert (type(error), error.sqlstate) == (InvalidText, "22P05")


async def test_a_lock_that_is_not_released_is_told(each_database_url: str) -> None:
    async with opened(each_database_url, lock_timeout_s=0.1) as db:
        await add(db, "a")
        change = sa.update(Account).values(balance=1)
        async with db.session().atomic() as holder:
            await holder.execute(change)
            error = await failure_of(db, change)
    assert type(error) is LockTimeout
    assert isinstance(error, exc.OperationalError)


async def test_a_statement_that_runs_for_too_long_is_told(each_postgres_url: str) -> None:
    async with opened(each_postgres_url, statement_timeout_s=0.2) as db:
        assert type(await failure_of(db, text("SELECT pg_sleep(60)"))) is StatementTimeout


async def terminate(db: DatabaseConnection, pid: int) -> None:
    # Each statement for itself: in a transaction pg_stat_activity stays what it was.
    async with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as other:
        await other.execute(text(f"SELECT pg_terminate_backend({pid})"))
        query = text(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}")
        async with asyncio.timeout(60):
            while (await other.execute(query)).scalar():
                await asyncio.sleep(0.01)


async def killed(db: DatabaseConnection, raw: AsyncConnection) -> None:
    await terminate(db, (await raw.execute(text("SELECT pg_backend_pid()"))).scalar_one())


async def test_a_connection_that_is_killed_before_the_commit_is_lost(
    postgres: DatabaseConnection,
) -> None:
    with pytest.raises(ConnectionLost) as raised:
        async with postgres.engine.begin() as raw:
            await killed(postgres, raw)
            await raw.execute(text("SELECT 1"))
    error = raised.value
    assert type(error) is ConnectionLost
    assert {exc.OperationalError, exc.InterfaceError} < set(type(error).__mro__)
    assert error.connection_invalidated
    await postgres.ping()


async def test_a_connection_that_is_lost_at_commit_leaves_the_outcome_open(
    postgres: DatabaseConnection,
) -> None:
    with pytest.raises(CommitUnknown) as raised:
        async with postgres.engine.begin() as raw:
            await killed(postgres, raw)
    assert raised.value.connection_invalidated
    await postgres.ping()


async def test_a_connection_that_is_lost_in_a_stream_is_told(postgres: DatabaseConnection) -> None:
    session = postgres.session()
    rows = text("SELECT pg_backend_pid(), repeat('x', 1000) FROM generate_series(1, 100000)")
    with pytest.raises(ConnectionLost):
        async with session.streaming(rows) as result:
            first = await result.fetchmany(1)
            await terminate(postgres, first[0][0])
            async for _ in result:
                pass
    await session.close()
    await postgres.ping()


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"port": 9}, "08001"),
        ({"password": "wrong"}, "28P01"),
        ({"database": "nowhere"}, "3D000"),
        ({"host": "nowhere.invalid"}, "08001"),
    ],
)
async def test_a_server_that_cannot_be_reached_is_told_by_both_drivers(
    each_postgres_url: str, change: dict[str, Any], state: str
) -> None:
    engine = translated(sa.make_url(each_postgres_url).set(**change))
    with pytest.raises(ServerUnreachable) as raised:
        async with engine.connect():
            pass
    await engine.dispose()
    error = raised.value
    assert error.sqlstate == state
    assert error.database == place_of(engine.url)


def test_a_file_that_cannot_be_opened_is_a_server_that_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as raised:
        sqlite3.connect(tmp_path / "none" / "db.sqlite3")
    assert CLASSES[str(fault_of(raised.value).sqlstate)] is ServerUnreachable


async def test_a_server_without_a_free_connection_is_told(postgres: DatabaseConnection) -> None:
    """The limit of a role: that of the whole server would fail the other tests."""
    url = postgres.engine.url
    async with postgres.engine.begin() as raw:
        name = f"narrow_{url.database}"
        await raw.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'x' CONNECTION LIMIT 0"))
    narrow = url.set(username=name, password="x")
    engine = translated(narrow)
    with pytest.raises(TooManyConnections) as raised:
        async with engine.connect():
            pass
    await engine.dispose()
    async with postgres.engine.begin() as raw:
        await raw.execute(text(f"DROP ROLE {name}"))
    assert raised.value.sqlstate == "53300"
    assert isinstance(raised.value, ServerUnreachable)


async def test_what_has_no_class_here_stays_sqlalchemys(db: DatabaseConnection) -> None:
    with pytest.raises(exc.DBAPIError) as raised:
        async with db.engine.connect() as raw:
            await raw.execute(text("SELEC 1"))
    assert not isinstance(raised.value, DriverFault)
    if not db.config.is_sqlite:
        assert describe(raised.value).sqlstate == "42601"


async def test_it_keeps_what_sqlalchemy_says(db: DatabaseConnection) -> None:
    await add(db, "a")
    error = await failure_of(db, sa.insert(Account).values(id=2, name="a"))
    assert error.__cause__ is error.orig
    assert error.statement is not None and error.statement.startswith("INSERT INTO account")
    assert error.driver_exception is not None
    assert not error.connection_invalidated
    assert "SQL: INSERT INTO account" in str(error)


async def test_the_values_of_rows_stand_in_the_drivers_error_alone(
    postgres: DatabaseConnection,
) -> None:
    await add(postgres, SECRET)
    postgres.engine.sync_engine.hide_parameters = True  # as in production
    error = await failure_of(postgres, sa.insert(Account).values(id=2, name=SECRET))
    assert SECRET in str(error.driver_exception)
    assert SECRET not in str(error)
    assert "hidden" in str(error)


@pytest.mark.parametrize("environment", ["production", "development"])
async def test_only_in_production_errors_have_no_parameters(
    sqlite: DatabaseConnection, environment: str
) -> None:
    application = Application(environment=environment)
    engines = make_engines(sqlite.config, root=Path("/"), application=application)
    with pytest.raises(exc.OperationalError) as raised:
        async with engines.engine.begin() as raw:
            await raw.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": SECRET})
    await engines.engine.dispose()
    assert (SECRET in str(raised.value)) == (environment == "development")


async def test_it_may_be_pickled(db: DatabaseConnection) -> None:
    await add(db, "a")
    error = await failure_of(db, sa.insert(Account).values(id=2, name="a"))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is UniqueViolation
    assert (copy.fault, copy.database, str(copy)) == (error.fault, error.database, str(error))


async def test_a_hook_of_the_users_has_the_last_word(db: DatabaseConnection) -> None:
    seen: list[ExceptionContext] = []

    class Theirs(Exception):
        pass

    def replace(context: ExceptionContext) -> BaseException:
        seen.append(context)
        return Theirs()

    event.listen(db.engine.sync_engine, "handle_error", replace)
    await add(db, "a")
    with pytest.raises(Theirs):
        await add(db, "a")
    assert isinstance(getattr(seen[0], "chained_exception", None), Theirs)
    event.remove(db.engine.sync_engine, "handle_error", replace)
    event.listen(db.engine.sync_engine, "handle_error", replace, insert=True)
    with pytest.raises(Theirs):
        await add(db, "a")


def test_every_sqlstate_of_the_table_has_five_characters() -> None:
    assert all(len(state) == 5 for state in CLASSES)
    assert set(CLASSES.values()) >= set(_leaves(DriverFault)) - {CommitUnknown}


def test_ours_are_what_sqlalchemy_would_have_raised() -> None:
    assert issubclass(PoolExhausted, exc.TimeoutError)
    assert issubclass(SessionClosed, exc.InvalidRequestError)
    assert issubclass(WriteOutsideAtomic, exc.InvalidRequestError)
    error = PoolExhausted("none was free", code="db.E007", hint="wait")
    assert str(pickle.loads(pickle.dumps(error))) == "[db.E007] none was free; wait"


def _leaves(kind: type[DriverFault]) -> list[type[DriverFault]]:
    below = kind.__subclasses__()
    return [leaf for each in below for leaf in _leaves(each)] if below else [kind]
