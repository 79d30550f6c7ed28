"""A session reads without holding a connection and writes only inside `atomic`."""

from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import AsyncExitStack
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload

from fastforge.contrib.db import Session
from fastforge.contrib.db.errors import (
    ConcurrentSessionUse,
    LazyLoad,
    NaiveDatetime,
    PoolExhausted,
    SessionClosed,
    TransactionFailed,
    TransactionMisuse,
    UniqueViolation,
    WriteOutsideAtomic,
)
from fastforge.contrib.db.resources import DatabaseConnection
from tests.conftest import with_driver

from ..tables import Account, Entry, Place, connections_out, opened


async def seed(db: DatabaseConnection, *names: str) -> None:
    async with db.session().atomic() as session:
        session.add_all(
            Account(name=name, entries=[Entry(text="1"), Entry(text="2")]) for name in names
        )


async def names(db: DatabaseConnection) -> list[str]:
    session = db.session()
    return sorted((await session.scalars(select(Account.name))).all())


# --- reading ---


async def test_reads_of_every_kind_give_the_connection_back(db: DatabaseConnection) -> None:
    await seed(db, "a")
    session = db.session()
    account = await session.get_one(Account, 1)
    assert connections_out(db) == 0
    assert await session.scalar(select(func.count(Entry.id))) == 2
    assert (await session.execute(text("SELECT name FROM account"))).all() == [("a",)]
    loaded = (await session.scalars(select(Account).options(selectinload(Account.entries)))).all()
    assert [len(each.entries) for each in loaded] == [2]
    joined = await session.scalars(select(Account).options(joinedload(Account.entries)))
    assert len(joined.unique().all()) == 1
    await session.refresh(account)
    assert len(await account.awaitable_attrs.entries) == 2
    assert await session.run_sync(lambda sync: sync.query(Entry).count()) == 2
    assert connections_out(db) == 0


async def test_rows_of_a_result_outlive_the_connection_they_came_by(
    db: DatabaseConnection,
) -> None:
    await seed(db, "a", "b")
    session = db.session()
    first = await session.execute(select(Account.name).order_by(Account.name))
    second = await session.execute(select(Entry))
    assert first.fetchone() == ("a",)
    assert len(second.all()) == 4
    assert first.fetchall() == [("b",)]


async def test_missing_unique_is_still_reported(db: DatabaseConnection) -> None:
    """Nothing that SQLAlchemy checks about results is lost on the way."""
    await seed(db, "a")
    session = db.session()
    result = await session.scalars(select(Account).options(joinedload(Account.entries)))
    with pytest.raises(sa.exc.InvalidRequestError, match="unique"):
        result.all()


async def test_a_failing_read_gives_the_connection_back(db: DatabaseConnection) -> None:
    session = db.session()
    with pytest.raises(sa.exc.DBAPIError):
        await session.execute(text("SELECT nothing FROM nowhere"))
    assert connections_out(db) == 0
    assert await session.scalar(text("SELECT 1")) == 1


async def test_requests_that_wait_for_something_else_do_not_hold_the_pool(
    each_database_url: str,
) -> None:
    """40 of them, a pool of 2: none waits for a connection while another one waits elsewhere."""
    async with opened(each_database_url, pool_size=2, pool_timeout_s=30) as db:
        everyone_has_read = asyncio.Event()
        reading = 0

        async def request() -> int | None:
            nonlocal reading
            session = db.session()
            await session.scalar(text("SELECT 1"))
            reading += 1
            if reading == 40:
                everyone_has_read.set()
            # With a connection held here, no third request would ever get this far.
            await asyncio.wait_for(everyone_has_read.wait(), 60)
            value: int | None = await session.scalar(text("SELECT 2"))
            await session.end(commit=True)
            return value

        assert await asyncio.gather(*(request() for _ in range(40))) == [2] * 40


async def test_an_ended_session_leaves_nothing_to_the_garbage_collector(
    db: DatabaseConnection,
) -> None:
    session, current = db.session(), ContextVar[Session | None]("current")
    current.set(session)  # as a unit of work does, and so the task has it that ends the session
    session.open()
    await session.scalar(text("SELECT 1"))
    gone = weakref.ref(session)
    gc.disable()
    try:
        await session.end(commit=True)
        current.set(None)
        del session
        assert gone() is None
    finally:
        gc.enable()


# --- refusing ---


@pytest.mark.parametrize(
    "statement",
    [
        text("INSERT INTO account (name, balance) VALUES ('x', 0)"),
        text("  /* why */ Delete FROM account"),
        text("WITH gone AS (DELETE FROM account RETURNING id) SELECT * FROM gone"),
        text("CREATE TABLE other (id int)"),
        sa.insert(Account).values(name="x"),
        sa.update(Account).values(balance=1),
        sa.delete(Account),
        select(Account).from_statement(sa.insert(Account).values(name="x").returning(Account)),
        sa.schema.DropTable(Account.__table__),  # type: ignore[arg-type]
    ],
    ids=lambda statement: " ".join(str(statement).split())[:24],
)
async def test_statements_that_write_are_refused_outside_atomic(
    db: DatabaseConnection, statement: Any
) -> None:
    await seed(db, "a")
    with pytest.raises(WriteOutsideAtomic, match=r"db\.E001.*async with db\.atomic"):
        await db.session().execute(statement)
    assert connections_out(db) == 0
    assert await names(db) == ["a"]


async def test_locks_are_refused_outside_atomic(db: DatabaseConnection) -> None:
    await seed(db, "a")
    session = db.session()
    account = await session.get_one(Account, 1)
    with pytest.raises(WriteOutsideAtomic, match="FOR UPDATE"):
        await session.execute(select(Account).with_for_update())
    with pytest.raises(WriteOutsideAtomic, match="FOR UPDATE"):
        await session.refresh(account, with_for_update=True)
    async with session.atomic():
        await session.refresh(account, with_for_update=True)


async def test_a_flush_outside_atomic_names_the_classes(db: DatabaseConnection) -> None:
    session = db.session()
    session.add(Account(name="x"))
    with pytest.raises(WriteOutsideAtomic, match=r"db\.E002.*Account"):
        await session.flush()
    with pytest.raises(WriteOutsideAtomic, match="Account"):
        await session.execute(select(Entry))  # by autoflush
    async with session.atomic():
        pass
    assert await names(db) == ["x"]


@pytest.mark.parametrize("kind", ["new", "changed", "deleted"])
async def test_objects_that_are_never_written_are_an_error_at_the_end(
    db: DatabaseConnection, kind: str
) -> None:
    await seed(db, "a")
    session = db.session()
    place = Place(row=1, seat="a")
    async with session.atomic():
        session.add(place)
    if kind == "new":
        session.add(Account(name="x"))
    elif kind == "changed":
        place.guest = "Ada"
    else:
        await session.delete(place)
    with pytest.raises(WriteOutsideAtomic, match="Account|Place"):
        await session.end(commit=True)


async def test_an_attribute_set_to_what_it_was_is_no_change(db: DatabaseConnection) -> None:
    await seed(db, "a")
    session = db.session()
    account = await session.get_one(Account, 1)
    account.name = str(account.name)
    assert await session.scalar(select(func.count(Account.id))) == 1
    await session.end(commit=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda session: session.connection(),
        lambda session: session.run_sync(lambda sync: sync.begin()),
        lambda session: session.run_sync(lambda sync: sync.begin_nested()),
        lambda session: session.run_sync(lambda sync: sync.bulk_save_objects([Account(name="x")])),
        lambda session: session.stream(select(Account)),
    ],
    ids=["connection", "begin", "begin_nested", "bulk", "stream"],
)
async def test_calls_that_would_hold_a_connection_are_refused_outside_atomic(
    db: DatabaseConnection, call: Any
) -> None:
    with pytest.raises(TransactionMisuse, match="db"):
        await call(db.session())
    assert connections_out(db) == 0


async def test_begin_is_refused_with_the_way_to_go(db: DatabaseConnection) -> None:
    with pytest.raises(TransactionMisuse, match=r"async with db\.atomic"):
        db.session().begin()
    with pytest.raises(TransactionMisuse, match=r"async with db\.atomic"):
        db.session().begin_nested()


async def test_use_after_the_end_is_an_error_that_says_what_to_do(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    await session.end(commit=True)
    with pytest.raises(SessionClosed, match=r"async with session\(\) as db"):
        await session.execute(text("SELECT 1"))
    with pytest.raises(SessionClosed):
        async with session.atomic():
            pass
    for added in (session.add, lambda row: session.add_all([row])):
        with pytest.raises(SessionClosed):
            added(Account(name="never written"))
    with pytest.raises(SessionClosed):
        await session.commit()  # what was changed is no longer the session's
    await session.rollback()  # there is nothing to undo, and whoever cleans up has an error already
    assert connections_out(db) == 0


async def test_two_tasks_cannot_use_one_session_at_once(db: DatabaseConnection) -> None:
    session = db.session()
    results = await asyncio.gather(
        *(session.scalar(text("SELECT 1")) for _ in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [int, ConcurrentSessionUse, ConcurrentSessionUse]
    assert await asyncio.wait_for(session.scalar(text("SELECT 1")), 30) == 1
    assert connections_out(db) == 0


# --- attributes that are not loaded ---


async def test_a_relationship_that_is_not_loaded_is_named_with_both_remedies(
    db: DatabaseConnection,
) -> None:
    await seed(db, "a")
    session = db.session()
    account = await session.get_one(Account, 1)
    with pytest.raises(LazyLoad) as raised:
        _ = account.entries
    assert "Account.entries" in str(raised.value)
    assert "selectinload(Account.entries)" in str(raised.value)
    assert "await account.awaitable_attrs.entries" in str(raised.value)
    assert connections_out(db) == 0
    assert len(await account.awaitable_attrs.entries) == 2


async def test_a_column_that_is_not_loaded_is_named_with_its_remedy(
    db: DatabaseConnection,
) -> None:
    await seed(db, "a")
    session = db.session()
    account = await session.get_one(Account, 1)
    session.expire(account, ["opened_at"])
    with pytest.raises(LazyLoad, match=r"Account\.opened_at.*await db\.refresh\(account\)"):
        _ = account.opened_at
    assert connections_out(db) == 0


async def test_loaded_objects_are_expired_by_a_rollback(db: DatabaseConnection) -> None:
    await seed(db, "a")
    session = db.session()
    account = await session.get_one(Account, 1)
    with pytest.raises(ZeroDivisionError):
        async with session.atomic():
            account.balance = 7
            await session.flush()
            _ = 1 / 0
    with pytest.raises(LazyLoad, match="rollback"):
        _ = account.balance
    await session.refresh(account)
    assert account.balance == 0


# --- atomic ---


async def test_atomic_commits_at_its_end_and_rolls_back_on_an_exception(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    async with session.atomic() as inside:
        assert inside is session
        assert session.in_atomic
        session.add(Account(name="kept"))
        await session.flush()
        assert connections_out(db) == 1
        assert await names(db) == []
    assert not session.in_atomic
    assert connections_out(db) == 0
    with pytest.raises(ZeroDivisionError):
        async with session.atomic():
            await session.execute(sa.insert(Account).values(name="lost"))
            _ = 1 / 0
    assert await names(db) == ["kept"]


async def test_atomic_takes_no_connection_before_its_first_statement(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    async with session.atomic():
        assert connections_out(db) == 0


async def test_a_nested_atomic_is_a_savepoint(db: DatabaseConnection) -> None:
    session = db.session()
    async with session.atomic():
        session.add(Account(name="outer"))
        with pytest.raises(IntegrityError):
            async with session.atomic():
                session.add_all([Account(name="inner"), Account(name="outer")])
        async with session.atomic():
            session.add(Account(name="second"))
            with pytest.raises(ZeroDivisionError):
                async with session.atomic():
                    await session.execute(sa.insert(Account).values(name="third"))
                    _ = 1 / 0
    assert await names(db) == ["outer", "second"]


async def test_an_outer_rollback_takes_kept_savepoints_with_it(db: DatabaseConnection) -> None:
    session = db.session()
    with pytest.raises(ZeroDivisionError):
        async with session.atomic():
            async with session.atomic():
                session.add(Account(name="inner"))
            _ = 1 / 0
    assert await names(db) == []


async def test_a_rolled_back_session_goes_on(db: DatabaseConnection) -> None:
    session = db.session()
    with pytest.raises(IntegrityError):
        async with session.atomic():
            session.add_all([Account(name="a"), Account(name="a")])
    async with session.atomic():
        session.add(Account(name="b"))
    assert await names(db) == ["b"]
    await session.end(commit=True)


async def test_a_swallowed_error_of_a_flush_does_not_pass_for_success(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    await seed(db, "a")
    with pytest.raises(TransactionFailed, match="nested") as raised:
        async with session.atomic():
            session.add(Account(name="before"))
            await session.flush()
            session.add(Account(name="a"))
            with pytest.raises(IntegrityError):
                await session.flush()
    assert isinstance(raised.value.__cause__, IntegrityError)
    assert await names(db) == ["a"]


@pytest.mark.filterwarnings("ignore:Session's state has been changed on a non-active transaction")
@pytest.mark.parametrize("nested", [False, True])
async def test_after_a_swallowed_error_of_a_flush_whatever_follows_says_what_to_do(
    db: DatabaseConnection, nested: bool
) -> None:
    async def read(session: Session) -> None:
        await session.scalar(select(Account.id))

    async def write(session: Session) -> None:
        session.add(Account(name="b"))
        await session.flush()

    async def open_block(session: Session) -> None:
        async with session.atomic():
            raise AssertionError

    await seed(db, "a")
    for go_on in (read, write, open_block, Session.connection, Session.commit):
        if nested and go_on is Session.commit:  # which is refused there in any case
            continue
        session = db.session()
        with pytest.raises(TransactionFailed, match="nested `async with db") as raised:
            async with AsyncExitStack() as blocks:
                for _ in range(1 + nested):
                    await blocks.enter_async_context(session.atomic())
                session.add(Account(name="a"))
                with pytest.raises(IntegrityError):
                    await session.flush()
                await go_on(session)
        assert isinstance(raised.value.__cause__, UniqueViolation)
        await session.close()
    assert await names(db) == ["a"]


async def test_after_a_swallowed_error_of_a_statement_the_next_one_says_what_to_do(
    postgres: DatabaseConnection,
) -> None:
    session = postgres.session()
    await seed(postgres, "a")
    with pytest.raises(TransactionFailed, match="nested `async with db") as raised:
        async with session.atomic():
            with pytest.raises(IntegrityError):
                await session.execute(sa.insert(Account).values(name="a"))
            for _ in range(2):
                with pytest.raises(TransactionFailed):
                    await session.scalar(select(Account.id))
    assert getattr(raised.value.__cause__, "sqlstate", "") == "23505"


async def test_a_swallowed_error_of_a_statement_does_not_pass_for_success(
    postgres: DatabaseConnection,
) -> None:
    """PostgreSQL answers COMMIT after an error with a ROLLBACK, and drivers do not mind."""
    session = postgres.session()
    await seed(postgres, "a")
    with pytest.raises(TransactionFailed, match="nested"):
        async with session.atomic():
            await session.execute(sa.insert(Account).values(name="before"))
            with pytest.raises(IntegrityError):
                await session.execute(sa.insert(Account).values(name="a"))
    assert await names(postgres) == ["a"]
    async with session.atomic():
        await session.execute(sa.insert(Account).values(name="after"))
    assert await names(postgres) == ["a", "after"]


async def test_an_error_swallowed_around_a_savepoint_leaves_the_rest_committed(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    await seed(db, "a")
    async with session.atomic():
        await session.execute(sa.insert(Account).values(name="before"))
        with pytest.raises(IntegrityError):
            async with session.atomic():
                await session.execute(sa.insert(Account).values(name="a"))
    assert await names(db) == ["a", "before"]


async def test_an_error_swallowed_inside_a_savepoint_is_raised_at_its_end(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    await seed(db, "a")
    async with session.atomic():
        session.add(Account(name="outer"))
        with pytest.raises(TransactionFailed):
            async with session.atomic():
                session.add(Account(name="inner"))
                await session.flush()
                session.add(Account(name="a"))
                with pytest.raises(IntegrityError):
                    await session.flush()
    assert await names(db) == ["a", "outer"]


async def test_objects_changed_before_atomic_are_written_by_it(db: DatabaseConnection) -> None:
    await seed(db, "a")
    session = db.session()
    account = await session.get_one(Account, 1)
    account.balance = 5
    async with session.atomic():
        pass
    assert await db.session().scalar(select(Account.balance)) == 5


# --- lost updates ---


async def test_what_was_read_before_atomic_is_read_again(db: DatabaseConnection) -> None:
    """Without it this `+= 1` would start from 0 and undo the other session's `+= 10`."""
    await seed(db, "a")
    session = db.session()
    account = await session.get_one(Account, 1)
    entries = await account.awaitable_attrs.entries
    async with db.session().atomic() as other:
        (await other.get_one(Account, 1)).balance += 10
    async with session.atomic():
        account.balance += 1
        assert account.entries is entries
    assert await db.session().scalar(select(Account.balance)) == 11


async def test_composite_keys_are_read_again_too(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        session.add_all([Place(row=1, seat="a"), Place(row=1, seat="b")])
    session = db.session()
    places = (await session.scalars(select(Place).order_by(Place.seat))).all()
    async with db.session().atomic() as other:
        (await other.get_one(Place, (1, "b"))).guest = "Ada"
    async with session.atomic():
        assert [place.guest for place in places] == ["", "Ada"]


async def test_a_reference_whose_key_changed_is_not_kept(db: DatabaseConnection) -> None:
    await seed(db, "a", "b")
    session = db.session()
    entry = (
        await session.scalars(select(Entry).options(selectinload(Entry.account)).limit(1))
    ).one()
    other_id = 2 if entry.account_id == 1 else 1
    async with db.session().atomic() as other:
        (await other.get_one(Entry, entry.id)).account_id = other_id
    async with session.atomic():
        assert entry.account_id == other_id
        assert (await entry.awaitable_attrs.account).id == other_id


async def test_a_row_that_is_gone_is_noticed(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        session.add(Place(row=1, seat="a"))
    session = db.session()
    place = await session.get_one(Place, (1, "a"))
    async with db.session().atomic() as other:
        await other.execute(sa.delete(Place))
    async with session.atomic():
        with pytest.raises(LazyLoad):
            _ = place.guest


async def test_many_objects_are_compared_with_few_statements(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        session.add_all(Place(row=row, seat="a") for row in range(600))
    session = db.session()
    places = (await session.scalars(select(Place))).all()
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sa.event.listen(db.engine.sync_engine, "before_cursor_execute", note)
    async with session.atomic():
        assert len(places) == 600
    assert len([each for each in statements if each.startswith("SELECT")]) == 2


# --- commit, rollback, callbacks ---


async def test_commit_is_for_good_and_goes_on_in_a_new_transaction(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    with pytest.raises(ZeroDivisionError):
        async with session.atomic():
            session.add(Account(name="kept"))
            await session.commit()
            assert await names(db) == ["kept"]
            session.add(Account(name="lost"))
            await session.flush()
            _ = 1 / 0
    assert await names(db) == ["kept"]


async def test_rollback_undoes_and_goes_on_in_a_new_transaction(db: DatabaseConnection) -> None:
    session = db.session()
    async with session.atomic():
        session.add(Account(name="lost"))
        await session.flush()
        await session.rollback()
        session.add(Account(name="kept"))
    assert await names(db) == ["kept"]


@pytest.mark.parametrize("call", ["commit", "rollback"])
async def test_a_nested_block_cannot_decide_about_the_outer_one(
    db: DatabaseConnection, call: str
) -> None:
    session = db.session()
    async with session.atomic(), session.atomic():
        with pytest.raises(TransactionMisuse, match=rf"{call}\(\) inside a nested"):
            await getattr(session, call)()
        session.add(Account(name="kept"))
    assert await names(db) == ["kept"]


async def test_commit_outside_atomic_refuses_to_lose_objects(db: DatabaseConnection) -> None:
    session = db.session()
    await session.commit()
    session.add(Account(name="x"))
    with pytest.raises(WriteOutsideAtomic, match="Account"):
        await session.commit()


async def test_callbacks_run_after_the_outermost_commit_unless_their_block_was_undone(
    db: DatabaseConnection, caplog: pytest.LogCaptureFixture
) -> None:
    session = db.session()
    ran: list[str] = []

    async def note_rows() -> None:
        ran.append(f"rows {await names(db)}")

    def fail() -> None:
        raise ValueError("broken callback")

    async with session.atomic():
        session.add(Account(name="a"))
        session.on_commit(note_rows)
        session.on_commit(fail)
        async with session.atomic():
            session.on_commit(lambda: ran.append("kept savepoint"))
            with pytest.raises(ZeroDivisionError):
                async with session.atomic():
                    session.on_commit(lambda: ran.append("undone savepoint"))
                    _ = 1 / 0
        session.on_commit(lambda: ran.append("last"))
        assert ran == []
    assert ran == ["rows ['a']", "kept savepoint", "last"]
    assert "broken callback" in caplog.text
    with pytest.raises(ZeroDivisionError):
        async with session.atomic():
            session.on_commit(lambda: ran.append("undone"))
            _ = 1 / 0
    async with session.atomic():
        pass
    assert ran == ["rows ['a']", "kept savepoint", "last"]
    with pytest.raises(TransactionMisuse, match="on_commit"):
        session.on_commit(fail)


# --- cancellation ---


@pytest.mark.parametrize("way", ["task", "anyio"])
async def test_a_cancellation_during_the_commit_does_not_interrupt_it(
    db: DatabaseConnection, way: str
) -> None:
    committing, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Session):
        async def _commit(self) -> None:
            committing.set()
            await go_on.wait()
            await super()._commit()

    session = Slow(db.engines)

    async def write() -> None:
        async with session.atomic():
            session.add(Account(name="kept"))

    if way == "task":
        task = asyncio.create_task(write())
        await committing.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        async with anyio.create_task_group() as group:
            group.start_soon(write)
            await committing.wait()
            group.cancel_scope.cancel()
            asyncio.get_running_loop().call_soon(go_on.set)
    assert await names(db) == ["kept"]
    assert connections_out(db) == 0


async def test_a_cancellation_inside_the_block_rolls_back(db: DatabaseConnection) -> None:
    session, written = db.session(), asyncio.Event()

    async def write() -> None:
        async with session.atomic():
            session.add(Account(name="lost"))
            await session.flush()
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await names(db) == []
    assert connections_out(db) == 0


SLEEPING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND query = :query AND state = 'active'
"""


async def test_a_cancelled_read_gives_its_connection_back(postgres: DatabaseConnection) -> None:
    async def read(query: str) -> None:
        await postgres.session().execute(text(query))

    for number in range(3):  # more than the pool has
        query = f"SELECT pg_sleep(60{number})"
        task = asyncio.create_task(read(query))
        # On the server, and not only on its way: SQLAlchemy loses a connection, until the garbage
        # is collected, whose preparation is cancelled.
        while not await postgres.session().scalar(text(SLEEPING), {"query": query}):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert connections_out(postgres) == 0
    assert await postgres.session().scalar(text("SELECT 1")) == 1


async def test_the_server_ends_a_read_that_a_task_group_cancels(postgres_dsn: str) -> None:
    """Those of anyio cancel again and again, as that of a stream whose client has left does."""
    query = "SELECT pg_sleep(606)"
    async with opened(with_driver(postgres_dsn, "asyncpg"), client_check_interval_s=0) as db:

        async def read() -> None:
            async with anyio.create_task_group() as group:
                group.start_soon(db.session().execute, text(query))

        async def is_active() -> bool:
            return bool(await db.session().scalar(text(SLEEPING), {"query": query}))

        task = asyncio.create_task(read())
        while not await is_active():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(60):
            while await is_active():
                await asyncio.sleep(0.01)
        assert connections_out(db) == 0


async def test_a_session_as_a_context_manager_loses_nothing_in_silence(
    db: DatabaseConnection,
) -> None:
    with pytest.raises(WriteOutsideAtomic, match="Account"):
        async with db.session() as session:
            session.add(Account(name="x"))
    with pytest.raises(ZeroDivisionError):
        async with db.session() as session:
            session.add(Account(name="x"))
            _ = 1 / 0
    with pytest.raises(SessionClosed):
        await session.execute(text("SELECT 1"))


async def test_an_error_of_our_own_spoils_no_transaction(db: DatabaseConnection) -> None:
    """A value that the driver never sent leaves PostgreSQL's transaction as it was."""
    session = db.session()
    async with session.atomic():
        await session.execute(sa.insert(Account).values(name="kept"))
        with pytest.raises(NaiveDatetime, match="no time zone"):
            naive = datetime(2026, 1, 2)  # noqa: DTZ001
            await session.execute(sa.insert(Account).values(name="x", opened_at=naive))
    assert await names(db) == ["kept"]


# --- streams and the pool ---


async def test_a_stream_outside_atomic_holds_its_connection_for_its_block(
    db: DatabaseConnection,
) -> None:
    await seed(db, "a", "b")
    session = db.session()
    seen = []
    async with session.streaming(
        select(Account).order_by(Account.name).execution_options(yield_per=1)
    ) as accounts:
        async for account in accounts.scalars():
            seen.append((account.name, connections_out(db)))
            assert await session.scalar(select(func.count(Account.id))) == 2
        with pytest.raises(TransactionMisuse, match="streaming"):
            async with session.atomic():
                pass
    assert seen == [("a", 1), ("b", 1)]
    assert connections_out(db) == 0


async def test_a_stream_left_early_gives_its_connection_back(db: DatabaseConnection) -> None:
    await seed(db, "a", "b")
    session = db.session()
    with pytest.raises(ZeroDivisionError):
        async with session.streaming(select(Account)) as accounts:
            async for _ in accounts:
                _ = 1 / 0
    assert connections_out(db) == 0
    assert await session.scalar(text("SELECT 1")) == 1


async def test_a_stream_outside_atomic_cannot_write(db: DatabaseConnection) -> None:
    await seed(db, "a")
    session = db.session()
    with pytest.raises(WriteOutsideAtomic):
        async with session.streaming(sa.delete(Entry).returning(Entry.id)):
            pass
    assert connections_out(db) == 0


async def test_streams_inside_atomic_belong_to_it(db: DatabaseConnection) -> None:
    await seed(db, "a", "b")
    session = db.session()
    async with session.atomic():
        rows = await session.stream(select(Account.name).order_by(Account.name))
        assert [row.name async for row in rows] == ["a", "b"]
        async with session.streaming(select(Account.name)) as names_:
            assert len([row async for row in names_]) == 2
        await session.execute(sa.insert(Account).values(name="c"))
    assert await names(db) == ["a", "b", "c"]


async def test_an_exhausted_pool_is_named_after_its_time_limit(each_database_url: str) -> None:
    async with opened(each_database_url, pool_size=1, max_overflow=0, pool_timeout_s=0.1) as db:
        async with db.session().atomic() as holder:
            await holder.execute(text("SELECT 1"))
            with pytest.raises(PoolExhausted, match=r"0\.1 s") as raised:
                await db.session().execute(text("SELECT 1"))
            assert raised.value.status == 503
        assert await db.session().scalar(text("SELECT 1")) == 1
