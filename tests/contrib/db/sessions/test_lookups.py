"""What a session finds and asks in one line."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event, select
from sqlalchemy.orm import joinedload, selectinload

from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.contrib.db.sessions.lookups import NotFound

from ..tables import Account, Entry, Place, connections_out


async def seed(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        session.add(Account(id=1, name="a", entries=[Entry(text="1"), Entry(text="2")]))
        session.add(Account(id=2, name="b"))
        session.add(Place(row=1, seat="c", guest="d"))


# --- get_or_404 ----------------------------------------------------------------------------------


async def test_an_object_is_found_by_its_key_or_by_a_select(db: DatabaseConnection) -> None:
    await seed(db)
    session = db.session()
    account = await session.get_or_404(Account, 1)
    assert account.name == "a"
    assert await session.get_or_404(Account, 1) is account
    assert (await session.get_or_404(Place, (1, "c"))).guest == "d"
    assert (await session.get_or_404(Place, {"row": 1, "seat": "c"})).guest == "d"
    named = select(Account).where(Account.name == "b")
    assert (await session.get_or_404(named)).id == 2
    assert await session.get_or_404(select(Account.balance).where(Account.name == "b")) == 0
    row = await session.get_or_404(select(Account, Account.balance + 1).where(Account.name == "b"))
    assert (row[0].name, row[1]) == ("b", 1)
    assert connections_out(db) == 0


async def test_options_are_those_of_get_and_of_the_select(db: DatabaseConnection) -> None:
    await seed(db)
    with_entries = await db.session().get_or_404(
        Account, 1, options=[selectinload(Account.entries)]
    )
    assert len(with_entries.entries) == 2
    joined = select(Account).where(Account.id == 1).options(joinedload(Account.entries))
    assert len((await db.session().get_or_404(joined)).entries) == 2
    async with db.session().atomic() as session:
        locked = await session.get_or_404(Account, 2, with_for_update=True)
        locked.balance = 7
    assert (await db.session().get_or_404(Account, 2)).balance == 7


@pytest.mark.parametrize(
    ("what", "identity", "name"),
    [
        (Account, 3, "Account"),
        (Account, None, "Account"),
        (Account, -1, "Account"),
        (Place, (1, "nobody"), "Place"),
        (Place, (1, "\0"), "Place"),
        (Place, (1, "\ud800"), "Place"),
        (Place, (1 << 40, "c"), "Place"),
        (select(Account).where(Account.name == "x"), None, "Account"),
        (select(Account.id).where(Account.name == "x"), None, "Account"),
        (select(Account.__table__).where(sa.false()), None, "row"),
    ],
)
async def test_what_is_not_there_is_a_404_that_names_the_model_and_not_the_key(
    db: DatabaseConnection, what: Any, identity: Any, name: str
) -> None:
    await seed(db)
    with pytest.raises(NotFound) as raised:
        await db.session().get_or_404(what, identity)
    assert str(raised.value) == f"[db.E061] there is no such {name}"
    assert raised.value.status == 404


@pytest.mark.parametrize("identity", [1 << 63, -(1 << 63) - 1, 10**30])
async def test_a_key_that_no_row_can_have_is_not_asked_for(
    db: DatabaseConnection, identity: int
) -> None:
    """A driver would raise an error of its own, and PostgreSQL give up the transaction."""
    sent: list[str] = []
    event.listen(db.engine.sync_engine, "before_cursor_execute", lambda *said: sent.append(said[2]))
    with pytest.raises(NotFound):
        await db.session().get_or_404(Account, identity)
    assert sent == []


async def test_several_rows_are_a_mistake_and_no_404(db: DatabaseConnection) -> None:
    await seed(db)
    with pytest.raises(sa.exc.MultipleResultsFound):
        await db.session().get_or_404(select(Account))


# --- exists --------------------------------------------------------------------------------------


async def test_whether_a_select_gives_any_row(db: DatabaseConnection) -> None:
    await seed(db)
    session = db.session()
    assert await session.exists(select(Account).where(Account.name == "a")) is True
    assert await session.exists(select(Account).where(Account.name == "x")) is False
    assert await session.exists(select(Account.id).join(Account.entries)) is True
    ordered = select(Account).options(selectinload(Account.entries)).order_by(Account.name)
    assert await session.exists(ordered.limit(1)) is True
    assert session.identity_map.values() == [], "nothing is loaded"
    assert connections_out(db) == 0


async def test_exists_sees_what_the_transaction_has_not_written_yet(
    db: DatabaseConnection,
) -> None:
    async with db.session().atomic() as session:
        session.add(Account(name="new"))
        assert await session.exists(select(Account).where(Account.name == "new"))
