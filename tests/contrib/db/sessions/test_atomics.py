"""`atomic` above a function, and where no session is at hand."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select
from starlette.responses import JSONResponse

from fastforge.contrib.db import Session, atomic, on_commit, required
from fastforge.contrib.db.errors import NoUnitOfWork, TransactionMisuse
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.unit import UnitOfWork, required_session, use_unit
from fastforge.tasks import task

from ..tables import Account


@pytest.fixture
async def current(db: DatabaseConnection) -> AsyncIterator[Session]:
    """The session of a job."""
    async with use_unit(UnitOfWork(lambda _: db.session())) as unit:
        yield unit.session


async def names(db: DatabaseConnection) -> list[str]:
    async with db.session() as session:
        return list(await session.scalars(select(Account.name).order_by(Account.name)))


@atomic
async def add(name: str, *, fail: bool = False) -> str:
    """Add an account."""
    required().add(Account(name=name))
    if fail:
        raise ZeroDivisionError
    return name


async def test_a_function_is_one_transaction(current: Session, db: DatabaseConnection) -> None:
    assert await add("kept") == "kept"
    with pytest.raises(ZeroDivisionError):
        await add("lost", fail=True)
    assert await names(db) == ["kept"]
    assert not current.in_atomic


async def test_a_function_inside_a_block_is_a_savepoint(
    current: Session, db: DatabaseConnection
) -> None:
    async with atomic() as same:
        assert same is current
        await add("kept")
        with pytest.raises(ZeroDivisionError):
            await add("lost", fail=True)
    assert await names(db) == ["kept"]


async def test_a_function_keeps_its_name_its_text_and_its_parameters() -> None:
    assert (add.__name__, add.__doc__) == ("add", "Add an account.")
    assert list(inspect.signature(add).parameters) == ["name", "fail"]
    assert inspect.iscoroutinefunction(add)


async def test_a_method_may_be_decorated(current: Session, db: DatabaseConnection) -> None:
    class Service:
        @atomic(durable=True)
        async def add(self, name: str) -> None:
            required().add(Account(name=name))

    await Service().add("kept")
    assert await names(db) == ["kept"]


@pytest.mark.parametrize("options", [{}, {"retries": 1}], ids=str)
async def test_an_answer_that_refuses_rolls_a_function_back(
    current: Session, db: DatabaseConnection, options: dict[str, Any]
) -> None:
    @atomic(**options)
    async def handle(status: int) -> JSONResponse:
        required().add(Account(name=f"of {status}"))
        await required().flush()
        return JSONResponse({}, status)

    for status in (201, 399, 400, 409, 500):
        assert (await handle(status)).status_code == status
    assert await names(db) == ["of 201", "of 399"]


async def test_what_needs_a_transaction_says_so(current: Session) -> None:
    with pytest.raises(TransactionMisuse, match=r"db\.E036.*async with db\.atomic"):
        required()
    async with atomic():
        assert required() is current


async def test_callbacks_may_be_given_where_no_session_is_at_hand(current: Session) -> None:
    ran: list[str] = []
    async with atomic():
        on_commit(lambda: ran.append("committed"))
        assert ran == []
    assert ran == ["committed"]
    with pytest.raises(TransactionMisuse, match=r"db\.E009"):
        on_commit(lambda: None)


async def test_where_nothing_gives_a_session_each_of_them_says_so() -> None:
    for call in (required, required_session, lambda: on_commit(print)):
        with pytest.raises(NoUnitOfWork):
            call()
    with pytest.raises(NoUnitOfWork):
        await add("x")
    with pytest.raises(NoUnitOfWork):
        async with atomic():
            pass


async def test_a_block_cannot_be_run_again() -> None:
    """Also where there is no session: it is told before anything else."""
    with pytest.raises(TransactionMisuse, match=r"db\.E032.*only a function can.*@atomic"):
        async with atomic(retries=3):  # type: ignore[attr-defined]
            raise AssertionError("it must not be entered")


async def test_a_block_is_entered_once(current: Session) -> None:
    block = atomic()
    async with block:
        pass
    with pytest.raises(TransactionMisuse, match="entered before"):
        async with block:
            pass


def sync() -> None: ...


async def generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    "decorated", [sync, generator, Account, task(name="t")(add), 7], ids=lambda each: repr(each)[:9]
)
@pytest.mark.parametrize("options", [{}, {"retries": 1}], ids=str)
def test_only_a_function_that_can_be_awaited_is_decorated(
    decorated: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(TransactionMisuse, match=r"db\.E032.*no `async def`"):
        atomic(**options)(decorated)
    with pytest.raises(TransactionMisuse, match=r"db\.E032"):
        atomic(decorated)


@pytest.mark.parametrize("retries", [-1, 1.5, "3", True])
def test_the_number_of_attempts_is_one(retries: Any) -> None:
    with pytest.raises(TransactionMisuse, match=r"db\.E032.*@atomic\(retries=3\)"):
        atomic(retries=retries)


def test_an_argument_that_does_not_exist_is_named() -> None:
    arguments: dict[str, Any] = {"isolatoin": "serializable"}
    with pytest.raises(TransactionMisuse, match=r"db\.E032.*did you mean 'isolation'"):
        atomic(**arguments)
