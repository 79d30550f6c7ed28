"""Nobody's work is undone by a value that was read before it, whenever that was."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select, text
from sqlalchemy.orm.exc import StaleDataError

from fastforge.contrib.db import Session
from fastforge.contrib.db.errors import LazyLoad
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.refreshing import StaleObject

from ..tables import Account


async def seed(db: DatabaseConnection) -> None:
    async with db.session() as session, session.atomic():
        session.add(Account(name="a"))


async def add_ten(db: DatabaseConnection) -> None:
    """What another request does."""
    async with db.session() as session, session.atomic():
        (await session.get_one(Account, 1)).balance += 10


async def balance(db: DatabaseConnection) -> int | None:
    async with db.session() as session:
        return await session.scalar(select(Account.balance))


# --- after a commit in the middle ---


@pytest.mark.parametrize("opens", [False, True], ids=["in-a-block", "in-a-request"])
async def test_after_a_commit_the_next_statement_reads_again(
    db: DatabaseConnection, opens: bool
) -> None:
    await seed(db)

    async def work(session: Session) -> None:
        account = await session.get_one(Account, 1)
        await session.commit()
        assert account.balance == 0  # the object keeps its values
        await add_ten(db)
        await session.scalar(text("SELECT 1"))
        assert account.balance == 10
        account.balance += 1

    await in_transaction(db, work, opens=opens)
    assert await balance(db) == 11


@pytest.mark.parametrize("opens", [False, True], ids=["in-a-block", "in-a-request"])
async def test_after_a_commit_a_nested_block_begins_with_what_is_there(
    db: DatabaseConnection, opens: bool
) -> None:
    await seed(db)

    async def work(session: Session) -> None:
        account = await session.get_one(Account, 1)
        await session.commit()
        await add_ten(db)
        async with session.atomic():
            account.balance += 1

    await in_transaction(db, work, opens=opens)
    assert await balance(db) == 11


@pytest.mark.parametrize("opens", [False, True], ids=["in-a-block", "in-a-request"])
async def test_after_a_commit_a_change_of_an_old_value_is_refused(
    db: DatabaseConnection, opens: bool
) -> None:
    """It cannot be made right: nobody knows what the new value was made of."""
    await seed(db)

    async def work(session: Session) -> None:
        account = await session.get_one(Account, 1)
        await session.commit()
        await add_ten(db)
        account.balance += 1

    with pytest.raises(StaleObject, match=r"db\.E037.*Account\.balance.*db\.refresh\(account\)"):
        await in_transaction(db, work, opens=opens)
    assert await balance(db) == 10


async def test_after_a_commit_a_refreshed_object_may_be_changed(db: DatabaseConnection) -> None:
    await seed(db)
    async with db.session() as session, session.atomic():
        account = await session.get_one(Account, 1)
        await session.commit()
        await add_ten(db)
        await session.refresh(account)
        account.balance += 1
    assert await balance(db) == 11


async def test_after_a_commit_nothing_is_sent_unless_something_is_asked(
    db: DatabaseConnection,
) -> None:
    await seed(db)
    async with db.session() as session, session.atomic():
        account = await session.get_one(Account, 1)
        account.balance = 5
        await session.commit()
        sent = statements_of(db)
        assert account.balance == 5
    assert sent == []
    assert await balance(db) == 5


async def test_a_change_that_met_nobody_is_written_after_a_commit(db: DatabaseConnection) -> None:
    await seed(db)
    async with db.session() as session, session.atomic():
        account = await session.get_one(Account, 1)
        await session.commit()
        account.balance += 1
    assert await balance(db) == 1


async def test_another_column_is_read_again_and_the_change_is_kept(db: DatabaseConnection) -> None:
    await seed(db)
    async with db.session() as session, session.atomic():
        account = await session.get_one(Account, 1)
        await session.commit()
        await add_ten(db)
        account.name = "renamed"
        await session.flush()
        assert (account.name, account.balance) == ("renamed", 10)
    assert await balance(db) == 10


async def test_a_row_that_another_has_deleted_is_noticed_by_its_change(
    db: DatabaseConnection,
) -> None:
    await seed(db)
    with pytest.raises(StaleDataError):
        async with db.session() as session, session.atomic():
            account = await session.get_one(Account, 1)
            await session.commit()
            async with db.session() as other, other.atomic():
                await other.execute(sa.delete(Account))
            account.balance += 1


# --- before a block ---


async def test_a_value_changed_before_a_block_and_by_another_is_refused(
    db: DatabaseConnection,
) -> None:
    await seed(db)
    session = db.session()
    account = await session.get_one(Account, 1)
    account.balance += 1
    await add_ten(db)
    with pytest.raises(StaleObject):
        async with session.atomic():
            raise AssertionError("it must not be entered")
    assert await balance(db) == 10
    with pytest.raises(LazyLoad):
        _ = account.balance  # as after every rollback
    await session.refresh(account)
    async with session.atomic():
        account.balance += 1
    assert await balance(db) == 11


async def test_a_value_set_to_what_it_was_is_no_change(db: DatabaseConnection) -> None:
    await seed(db)
    session = db.session()
    account = await session.get_one(Account, 1)
    account.balance = int(account.balance)
    await add_ten(db)
    async with session.atomic():
        assert account.balance == 10
        account.balance += 1
    assert await balance(db) == 11


async def test_a_value_that_was_never_read_is_written_as_it_is(db: DatabaseConnection) -> None:
    await seed(db)
    session = db.session()
    account = await session.scalar(select(Account).options(sa.orm.load_only(Account.name)))
    assert account is not None
    account.balance = 3
    await add_ten(db)
    async with session.atomic():
        pass
    assert await balance(db) == 3


async def test_an_object_that_is_to_be_deleted_is_deleted(db: DatabaseConnection) -> None:
    await seed(db)
    session = db.session()
    account = await session.get_one(Account, 1)
    await session.delete(account)
    await add_ten(db)
    async with session.atomic():
        pass
    assert await balance(db) is None


# --- after a block of its own ---


async def test_what_a_durable_block_has_read_is_read_again_after_it(db: DatabaseConnection) -> None:
    await seed(db)
    session = db.session()
    session.open()
    async with session.atomic(durable=True):
        account = await session.get_one(Account, 1)
    await add_ten(db)
    await session.scalar(text("SELECT 1"))
    account.balance += 1
    await session.end(commit=True)
    assert await balance(db) == 11


async def in_transaction(db: DatabaseConnection, work: Any, *, opens: bool) -> None:
    """Run something in the transaction of a block, or as a request has it."""
    session = db.session()
    if not opens:
        async with session, session.atomic():
            await work(session)
        return
    session.open()
    try:
        await work(session)
    except BaseException:
        await session.end(commit=False)
        raise
    await session.end(commit=True)


def statements_of(db: DatabaseConnection) -> list[str]:
    """What SQLAlchemy sends from now on."""
    sent: list[str] = []
    engine = db.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", lambda c, cu, sql, *_: sent.append(sql))
    return sent
