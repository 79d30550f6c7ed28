"""Many rows at once: all of them or none, with the model's defaults and types."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from fastforge.contrib.db.bulk import BulkInsertError
from fastforge.contrib.db.errors import DatabaseError, WriteOutsideAtomic
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.test.proxy import Proxy

from .pagination.tables import Lamp
from .tables import Account, Entry, opened


async def count(db: DatabaseConnection) -> int | None:
    return await db.session().scalar(select(func.count(Account.id)))


async def test_rows_are_inserted_with_the_defaults_and_types_of_the_model(
    db: DatabaseConnection,
) -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    async with db.session().atomic() as session:
        inserted = await session.bulk_insert(
            Account,
            [
                {"name": "a"},
                {"name": "b", "balance": 3, "opened_at": moment},
                {"name": "c", "opened_at": None},
                {"name": "d"},
            ],
        )
    assert inserted == 4
    rows = await db.session().scalars(select(Account).order_by(Account.name))
    a, b, c, d = rows
    assert (a.balance, b.balance) == (0, 3)
    assert b.opened_at == moment
    assert b.opened_at is not None
    assert b.opened_at.utcoffset() == timedelta()
    assert c.opened_at is None, "None is NULL"
    assert a.opened_at is not None, "and a name that is not there the default"
    assert d.opened_at is not None


async def test_more_values_than_a_statement_can_have_are_inserted(db: DatabaseConnection) -> None:
    """PostgreSQL takes 32767 parameters, SQLite 32766; a generator is read piece by piece."""
    alive = largest = 0

    class Row(dict[str, Any]):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def rows() -> Iterator[Row]:
        nonlocal alive, largest
        for number in range(20_000):
            alive += 1
            largest = max(largest, alive)
            yield Row(name=f"n{number}", balance=number)

    async with db.session().atomic() as session:
        assert await session.bulk_insert(Account, rows()) == 20_000
        again = ({"name": f"n{number}", "balance": 0} for number in range(19_000, 40_000))
        assert await session.bulk_insert(Account, again, on_conflict="ignore") == 20_000
    assert largest < 3000
    assert await count(db) == 40_000
    kept = select(Account.balance).where(Account.name == "n19500")
    assert await db.session().scalar(kept) == 19_500


async def test_rows_cost_round_trips_by_the_thousand(each_postgres_url: str) -> None:
    with Proxy(each_postgres_url) as proxy:
        async with opened(proxy.url, pool_size=1) as db:
            for start in (0, 3000):  # the first time, the statement is prepared
                async with db.session().atomic() as session:
                    await session.scalar(select(1))
                    before = proxy.round_trips
                    names = ({"name": f"n{start + number}"} for number in range(3000))
                    await session.bulk_insert(Account, names)
                    trips = proxy.round_trips - before
            assert trips < 60


async def test_nothing_is_inserted_from_no_rows(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        assert await session.bulk_insert(Account, []) == 0
        assert await session.bulk_insert(Account, [], on_conflict="ignore") == 0


async def test_rows_that_clash_are_an_error_and_undo_the_others(db: DatabaseConnection) -> None:
    with pytest.raises(IntegrityError):
        async with db.session().atomic() as session:
            await session.bulk_insert(Account, [{"name": "a"}, {"name": "b"}, {"name": "a"}])
    assert await count(db) == 0


async def test_rows_that_clash_are_left_out_when_asked(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        rows = [{"name": "a"}, {"name": "b"}, {"name": "a"}]
        assert await session.bulk_insert(Account, rows, on_conflict="ignore") == 2
        assert await session.bulk_insert(Account, rows, on_conflict="ignore") == 0
        # Another mistake than a clash is still one.
        with pytest.raises(IntegrityError):
            async with session.atomic():
                await session.bulk_insert(Account, [{"name": None}], on_conflict="ignore")


async def test_what_waits_to_be_written_is_written_before(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        session.add(Account(id=7, name="parent"))
        await session.bulk_insert(Entry, [{"account_id": 7}])
    assert await db.session().scalar(select(Entry.text)) == ""


@pytest.mark.parametrize("rows", [[], [{"name": "a"}], [{"name": 1, "no": 2}]])
async def test_outside_a_transaction_it_is_refused_whatever_it_is_given(
    db: DatabaseConnection, rows: list[dict[str, Any]]
) -> None:
    with pytest.raises(WriteOutsideAtomic, match=r"db\.E066.*bulk_insert of Account outside"):
        await db.session().bulk_insert(Account, rows)
    assert await count(db) == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"nmae": "a"}, "no attribute 'nmae' that is a column; did you mean 'name'?"),
        ({"entries": []}, "no attribute 'entries' that is a column; "),
        ({"name": "a", "zzz": 1}, "no attribute 'zzz' that is a column; give columns"),
    ],
)
async def test_what_is_no_column_is_refused(
    db: DatabaseConnection, row: dict[str, Any], message: str
) -> None:
    """SQLAlchemy would leave it out without a word."""
    async with db.session().atomic() as session:
        with pytest.raises(BulkInsertError) as raised:
            await session.bulk_insert(Account, [{"name": "first"}, row])
        assert message in str(raised.value)
        assert raised.value.code == "db.E067"


async def test_another_way_with_conflicts_is_refused(db: DatabaseConnection) -> None:
    async with db.session().atomic() as session:
        with pytest.raises(BulkInsertError, match=r"db\.E067.*on_conflict='update'"):
            await session.bulk_insert(Account, [], on_conflict="update")  # type: ignore[arg-type]


async def test_a_model_of_several_tables_has_no_way_with_conflicts(
    db: DatabaseConnection,
) -> None:
    async with db.session().atomic() as session:
        with pytest.raises(BulkInsertError, match=r"db\.E067.*in several tables; leave it out"):
            await session.bulk_insert(Lamp, [], on_conflict="ignore")


async def test_a_time_without_a_zone_is_refused_here_too(db: DatabaseConnection) -> None:
    naive = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    async with db.session().atomic() as session:
        with pytest.raises(DatabaseError, match=r"db\.E016"):
            await session.bulk_insert(Account, [{"name": "a", "opened_at": naive}])


async def test_the_longest_statement_is_one_of_a_thousand_rows(db: DatabaseConnection) -> None:
    """What is made ready at once holds up every other request."""
    sizes: list[int] = []

    def note(_c: Any, _cursor: Any, _s: str, parameters: Any, _x: Any, many: bool) -> None:
        sizes.append(len(parameters) if many else 1)

    event.listen(db.engine.sync_engine, "before_cursor_execute", note)
    async with db.session().atomic() as session:
        await session.bulk_insert(Account, ({"name": f"n{number}"} for number in range(2500)))
    assert [size for size in sizes if size > 1] == [1000, 1000, 500]
