"""What a block asks for: to be durable, to be a part, to be isolated, to read only."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select, text

from fastforge.contrib.db import Session
from fastforge.contrib.db.errors import TransactionFailed, TransactionMisuse, WriteOutsideAtomic
from fastforge.contrib.db.resources import DatabaseConnection

from ..tables import Account, connections_out

ISOLATION = text("SELECT current_setting('transaction_isolation')")


async def names(db: DatabaseConnection) -> list[str]:
    async with db.session() as session:
        return list(await session.scalars(select(Account.name).order_by(Account.name)))


def opened(db: DatabaseConnection) -> Session:
    """A session as a request of POST has it."""
    session = db.session()
    session.open()
    return session


# --- durable ---


async def test_a_durable_block_is_committed_at_its_end(db: DatabaseConnection) -> None:
    async with db.session() as session:
        async with session.atomic(durable=True):
            session.add(Account(name="kept"))
        assert await names(db) == ["kept"]


async def test_a_durable_block_refuses_to_stand_in_another(db: DatabaseConnection) -> None:
    async with db.session() as session, session.atomic():
        session.add(Account(name="kept"))
        with pytest.raises(TransactionMisuse, match=r"db\.E034.*may still roll back.*non_atomic"):
            async with session.atomic(durable=True):
                raise AssertionError("it must not be entered")
    assert await names(db) == ["kept"]


async def test_a_durable_block_may_come_first_in_a_request(db: DatabaseConnection) -> None:
    """It takes the place of the request's transaction, which is rolled back later on its own."""
    session = opened(db)
    async with session.atomic(durable=True):
        session.add(Account(name="kept"))
    assert session.in_atomic
    assert await names(db) == ["kept"]
    session.add(Account(name="lost"))
    await session.flush()
    with pytest.raises(TransactionMisuse, match=r"db\.E034"):
        async with session.atomic(durable=True):
            pass
    await session.end(commit=False)
    assert await names(db) == ["kept"]
    assert connections_out(db) == 0


@pytest.mark.parametrize("before", ["add", "on_commit", "read"])
async def test_whatever_happened_before_belongs_to_the_request(
    db: DatabaseConnection, before: str
) -> None:
    session = opened(db)
    if before == "add":
        session.add(Account(name="lost"))
    elif before == "on_commit":
        session.on_commit(lambda: None)
    else:
        await session.scalar(text("SELECT 1"))
    with pytest.raises(TransactionMisuse, match=r"db\.E034"):
        async with session.atomic(durable=True):
            pass
    await session.end(commit=False)


async def test_a_durable_block_that_fails_leaves_the_request_usable(db: DatabaseConnection) -> None:
    session = opened(db)
    with pytest.raises(ZeroDivisionError):
        async with session.atomic(durable=True):
            session.add(Account(name="lost"))
            await session.flush()
            _ = 1 / 0
    session.add(Account(name="kept"))
    await session.end(commit=True)
    assert await names(db) == ["kept"]


# --- savepoint=False ---


async def test_a_block_without_a_savepoint_is_a_part_of_the_one_around(
    db: DatabaseConnection,
) -> None:
    statements = statements_of(db)
    async with db.session() as session, session.atomic():
        async with session.atomic(savepoint=False) as same:
            assert same is session
            session.add(Account(name="inner"))
        session.add(Account(name="outer"))
    assert await names(db) == ["inner", "outer"]
    assert not any("SAVEPOINT" in each for each in statements)


async def test_what_a_part_failed_at_cannot_be_kept_though_its_error_was_swallowed(
    db: DatabaseConnection,
) -> None:
    session = db.session()
    with pytest.raises(TransactionFailed, match=r"db\.E013"):
        async with session.atomic():
            session.add(Account(name="outer"))
            with pytest.raises(ZeroDivisionError):
                async with session.atomic(savepoint=False):
                    session.add(Account(name="inner"))
                    _ = 1 / 0
    assert await names(db) == []
    async with session.atomic():  # the next one is another transaction
        session.add(Account(name="later"))
    assert await names(db) == ["later"]


async def test_a_savepoint_around_a_failed_part_is_undone_alone(db: DatabaseConnection) -> None:
    session = db.session()
    async with session.atomic():
        session.add(Account(name="outer"))
        with pytest.raises(TransactionFailed):
            async with session.atomic():
                session.add(Account(name="in the savepoint"))
                with pytest.raises(ZeroDivisionError):
                    async with session.atomic(savepoint=False):
                        _ = 1 / 0
        with pytest.raises(ZeroDivisionError):
            async with session.atomic(), session.atomic(savepoint=False):
                _ = 1 / 0
    assert await names(db) == ["outer"]


async def test_a_part_cannot_commit_for_the_whole(db: DatabaseConnection) -> None:
    async with db.session() as session, session.atomic(), session.atomic(savepoint=False):
        with pytest.raises(TransactionMisuse, match=r"db\.E011"):
            await session.commit()


# --- isolation, read_only ---


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
async def test_a_transaction_is_isolated_as_it_asks(
    postgres: DatabaseConnection, isolation: Any
) -> None:
    session = postgres.session()
    async with session.atomic(isolation=isolation):
        assert await session.scalar(ISOLATION) == isolation
    async with session.atomic():  # and the connection goes back as it was
        assert await session.scalar(ISOLATION) == "read committed"
    assert await session.scalar(text("SELECT 1")) == 1


async def test_a_serializable_block_may_come_first_in_a_request(
    postgres: DatabaseConnection,
) -> None:
    session = opened(postgres)
    async with session.atomic(isolation="serializable"):
        assert await session.scalar(ISOLATION) == "serializable"
    assert await session.scalar(ISOLATION) == "read committed"
    with pytest.raises(TransactionMisuse, match=r"db\.E035.*isolation='serializable'"):
        async with session.atomic(isolation="serializable"):
            pass
    await session.end(commit=True)


async def test_every_isolation_is_taken_by_sqlite(sqlite: DatabaseConnection) -> None:
    session = sqlite.session()
    async with session.atomic(isolation="serializable"):
        session.add(Account(name="kept"))
    assert await names(sqlite) == ["kept"]


async def test_a_transaction_that_reads_only_refuses_to_write(db: DatabaseConnection) -> None:
    session = db.session()
    async with session.atomic(read_only=True):
        assert await session.scalar(text("SELECT 1")) == 1
        with pytest.raises(WriteOutsideAtomic):
            await session.execute(sa.insert(Account).values(name="x"))
    async with session.atomic():
        session.add(Account(name="kept"))
    assert await names(db) == ["kept"]


async def test_a_transaction_that_reads_only_sees_one_state(postgres: DatabaseConnection) -> None:
    session = postgres.session()
    async with session.atomic(isolation="repeatable read", read_only=True):
        assert await session.scalar(select(sa.func.count(Account.id))) == 0
        async with postgres.session() as other, other.atomic():
            other.add(Account(name="new"))
        assert await session.scalar(select(sa.func.count(Account.id))) == 0
    assert await session.scalar(select(sa.func.count(Account.id))) == 1


# --- what is refused ---


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"isolation": "serialisable"}, r"db\.E035.*did you mean 'serializable'"),
        ({"isolation": "SERIALIZABLE"}, r"db\.E035.*did you mean 'serializable'"),
        ({"durabel": True}, r"db\.E032.*'durabel'.*did you mean 'durable'"),
        ({"retries": 3}, r"db\.E032.*a block cannot be run again, only a function"),
    ],
    ids=str,
)
async def test_arguments_that_do_not_exist_are_named(
    db: DatabaseConnection, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(TransactionMisuse, match=words):
        async with db.session().atomic(**arguments):
            pass


async def test_a_block_is_entered_once(db: DatabaseConnection) -> None:
    session = db.session()
    block = session.atomic()
    async with block:
        pass
    with pytest.raises(TransactionMisuse, match="entered before"):
        async with block:
            pass
    async with session.atomic():
        session.add(Account(name="kept"))
    assert await names(db) == ["kept"]


def statements_of(db: DatabaseConnection) -> list[str]:
    """What SQLAlchemy sends from now on."""
    sent: list[str] = []
    engine = db.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", lambda c, cu, sql, *_: sent.append(sql))
    sa.event.listen(engine, "savepoint", lambda c, name: sent.append(f"SAVEPOINT {name}"))
    return sent
