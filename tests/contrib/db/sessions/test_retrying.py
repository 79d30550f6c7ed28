"""A function whose transaction collides is run again, and nothing of a failed attempt is left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from fastforge.contrib.db import Session, atomic, on_commit
from fastforge.contrib.db.errors import TransactionMisuse, WriteOutsideAtomic, describe
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.retrying import pause_s
from fastforge.contrib.db.sessions.unit import UnitOfWork, required_session, use_unit

from ..tables import Account, Entry, connections_out


@pytest.fixture
async def accounts(postgres: DatabaseConnection) -> DatabaseConnection:
    """Two accounts of 100."""
    async with postgres.session() as session, session.atomic():
        session.add_all([Account(name="a", balance=100), Account(name="b", balance=100)])
    return postgres


def unit(db: DatabaseConnection, *, opens: bool = False) -> UnitOfWork:
    """The unit of a job, or of a request of POST."""

    def open_session(_name: str) -> Session:
        session = db.session()
        if opens:
            session.open()
        return session

    return UnitOfWork(open_session)


async def balances(db: DatabaseConnection) -> list[int]:
    async with db.session() as session:
        return list(await session.scalars(select(Account.balance).order_by(Account.id)))


class Meeting:
    """Lets the first attempts of two workers wait for each other, and counts attempts."""

    def __init__(self) -> None:
        self.barrier = asyncio.Barrier(2)
        self.attempts: dict[str, int] = {}
        self.called: list[str] = []

    async def first(self, worker: str) -> None:
        self.attempts[worker] = self.attempts.get(worker, 0) + 1
        await self.wait(worker)

    async def wait(self, worker: str) -> None:
        if self.attempts[worker] == 1:
            await asyncio.wait_for(self.barrier.wait(), 60)


async def both(db: DatabaseConnection, work: Callable[[str], Any], *, opens: bool) -> None:
    async def worker(name: str) -> None:
        async with use_unit(unit(db, opens=opens)):
            await work(name)

    await asyncio.gather(worker("one"), worker("two"))


@pytest.mark.parametrize("opens", [False, True], ids=["in-jobs", "in-requests"])
async def test_two_that_cannot_be_serialized(accounts: DatabaseConnection, opens: bool) -> None:
    meeting = Meeting()

    @atomic(retries=3, isolation="serializable")
    async def deposit(worker: str) -> None:
        account = await required_session().get_one(Account, 1)
        await meeting.first(worker)
        account.balance += 10
        on_commit(lambda: meeting.called.append(worker))
        await required_session().flush()

    await both(accounts, deposit, opens=opens)
    assert (await balances(accounts))[0] == 120
    assert sorted(meeting.attempts.values()) == [1, 2]
    assert sorted(meeting.called) == ["one", "two"]


async def test_two_whose_collision_is_told_at_the_commit(accounts: DatabaseConnection) -> None:
    """Each writes what the other has read: no statement fails."""
    meeting = Meeting()

    @atomic(retries=3, isolation="serializable")
    async def spend(worker: str) -> None:
        session = required_session()
        total = await session.scalar(select(sa.func.sum(Account.balance)))
        await meeting.first(worker)
        if total is not None and total >= 200:
            mine = 1 if worker == "one" else 2
            (await session.get_one(Account, mine)).balance -= 150
        on_commit(lambda: meeting.called.append(worker))
        await session.flush()
        await meeting.wait(worker)

    await both(accounts, spend, opens=False)
    assert sorted(await balances(accounts)) == [-50, 100]
    assert sorted(meeting.attempts.values()) == [1, 2]
    assert sorted(meeting.called) == ["one", "two"]


async def test_two_that_wait_for_each_other(accounts: DatabaseConnection) -> None:
    meeting = Meeting()

    @atomic(retries=3)
    async def move(worker: str) -> None:
        session = required_session()
        source, target = (1, 2) if worker == "one" else (2, 1)
        await session.execute(add(source, -10))
        await meeting.first(worker)
        await session.execute(add(target, 10))
        on_commit(lambda: meeting.called.append(worker))

    await both(accounts, move, opens=False)
    assert await balances(accounts) == [100, 100]
    assert sorted(meeting.attempts.values()) == [1, 2]
    assert sorted(meeting.called) == ["one", "two"]
    assert connections_out(accounts) == 0


def add(account_id: int, amount: int) -> sa.Update:
    return (
        sa.update(Account)
        .where(Account.id == account_id)
        .values(balance=Account.balance + amount)
        .execution_options(synchronize_session=False)
    )


# --- forced collisions: the server raises them as often as it is asked to ---

COLLISION = """
    DO $$ BEGIN RAISE EXCEPTION 'forced' USING ERRCODE = '{state}'; END $$
"""


@pytest.fixture
async def current(accounts: DatabaseConnection) -> AsyncIterator[Session]:
    """The session of a job."""
    async with use_unit(unit(accounts)) as own:
        yield own.session


async def collide(state: str = "40001") -> None:
    await required_session().execute(text(COLLISION.format(state=state)))


@pytest.mark.parametrize("state", ["40001", "40P01"])
async def test_it_gives_up_with_the_last_error(current: Session, state: str) -> None:
    attempts: list[int] = []

    @atomic(retries=2)
    async def never() -> None:
        attempts.append(1)
        await collide(state)

    with pytest.raises(DBAPIError) as raised:
        await never()
    assert describe(raised.value).sqlstate == state
    assert len(attempts) == 3
    assert not current.in_atomic


@pytest.mark.parametrize("state", ["23505", "55P03", "57014"])
async def test_other_errors_are_not_tried_again(current: Session, state: str) -> None:
    attempts: list[int] = []

    @atomic(retries=2)
    async def never() -> None:
        attempts.append(1)
        await collide(state)

    with pytest.raises(DBAPIError):
        await never()
    assert len(attempts) == 1


async def test_a_swallowed_collision_is_tried_again_too(current: Session) -> None:
    attempts: list[int] = []

    @atomic(retries=2)
    async def swallows() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            with pytest.raises(DBAPIError):
                await collide()
        return "done"

    assert await swallows() == "done"
    assert len(attempts) == 2


async def test_a_swallowed_collision_of_a_flush_is_tried_again_too(
    current: Session,
) -> None:
    attempts: list[int] = []

    @event.listens_for(Account, "before_insert")
    def fail(_mapper: Any, connection: sa.Connection, _account: Account) -> None:
        if len(attempts) == 1:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))

    @atomic(retries=2)
    async def swallows() -> None:
        attempts.append(1)
        current.add(Account(name="once"))
        with contextlib.suppress(DBAPIError):
            await current.flush()

    try:
        await swallows()
    finally:
        event.remove(Account, "before_insert", fail)
    assert len(attempts) == 2
    assert await current.scalar(select(sa.func.count()).where(Account.name == "once")) == 1


async def test_what_was_not_written_before_is_refused_and_not_lost_with_an_attempt(
    current: Session,
) -> None:
    before = await current.get_one(Account, 1)
    attempts: list[int] = []

    @atomic(retries=1)
    async def work() -> None:
        attempts.append(1)
        await current.flush()
        if len(attempts) == 1:
            await collide()

    before.balance = 7
    with pytest.raises(WriteOutsideAtomic, match="Account"):
        await work()
    assert attempts == []
    async with current.atomic():
        pass
    await work()
    assert before.balance == 7


async def test_objects_of_a_failed_attempt_are_no_longer_the_sessions(
    current: Session, accounts: DatabaseConnection
) -> None:
    held: list[Any] = []
    before = await current.get_one(Account, 1)

    @atomic(retries=1)
    async def work() -> None:
        assert before.balance == 100  # loaded anew
        assert not current.new
        loaded = await current.get_one(Account, 2)
        added = Account(name=f"n{len(held)}", entries=[Entry(text="1")])
        current.add(added)
        before.balance += 1
        await current.flush()
        pending = Account(name="pending")
        current.add(pending)
        held.append((loaded, added, pending))
        if len(held) == 1:
            with current.no_autoflush:
                await collide()

    await work()
    first, second = held
    assert [each in current for each in first] == [False, False, False]
    assert [each in current for each in second] == [True, True, True]
    assert before.balance == 101
    async with accounts.session() as other:
        names = await other.scalars(select(Account.name).order_by(Account.id))
        assert list(names) == ["a", "b", "n1", "pending"]
        assert await other.scalar(select(sa.func.count(Entry.id))) == 1


async def test_changes_that_were_not_written_are_forgotten_with_their_attempt(
    current: Session,
) -> None:
    before = await current.get_one(Account, 1)
    attempts: list[int] = []

    @atomic(retries=1)
    async def work() -> None:
        before.balance += 1
        attempts.append(before.balance)
        if len(attempts) == 1:
            with current.no_autoflush:
                await collide()

    await work()
    assert attempts == [101, 101]


async def test_callbacks_of_a_failed_attempt_do_not_run(current: Session) -> None:
    ran: list[int] = []
    attempts: list[int] = []

    @atomic(retries=1)
    async def work() -> None:
        attempts.append(1)
        number = len(attempts)
        on_commit(lambda: ran.append(number))
        if number == 1:
            await collide()

    await work()
    assert ran == [2]


# --- where it may stand ---


async def test_it_refuses_to_be_a_part_of_a_transaction(current: Session) -> None:
    @atomic(retries=1)
    async def work() -> None:
        raise AssertionError("it must not run")

    async with current.atomic():
        with pytest.raises(TransactionMisuse, match=r"db\.E033.*cannot be run again"):
            await work()


async def test_a_function_with_retries_may_call_one_without(current: Session) -> None:
    @atomic
    async def inner() -> int:
        assert current.guarded.depth == 2
        return 7

    @atomic(retries=1)
    async def outer() -> int:
        return await inner()

    assert await outer() == 7


async def test_it_cannot_commit_a_half(current: Session) -> None:
    @atomic(retries=1)
    async def work() -> None:
        await current.commit()

    with pytest.raises(TransactionMisuse, match=r"db\.E038"):
        await work()
    async with current.atomic():
        await current.commit()  # and that does not last


async def test_a_pause_is_10_to_50_milliseconds_and_doubles() -> None:
    for attempt in range(4):
        pauses = [pause_s(attempt) / 2**attempt for _ in range(200)]
        assert min(pauses) >= 0.010
        assert max(pauses) <= 0.050
        assert len(set(pauses)) > 100
