"""Walking a list page by page visits each row once, in order, whatever the rows and the order."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Select, delete, insert, select, text

from fastforge.contrib.db import Session
from fastforge.contrib.db.pagination import Keyset, Offset, paginate
from fastforge.contrib.db.pagination.ordering import ordering_of
from fastforge.contrib.db.resources import DatabaseConnection

from .tables import Book, Item, Kind, Lamp, Mark, Shelf, Solid, Thing

# Few values each, so that many rows have equal ones.
VALUES: dict[str, list[Any]] = {
    "rank": [-1, 0, 2_147_483_647],
    "title": [None, "", "a", "B", "ä", "a'b\\%_"],
    "price": [None, Decimal("0.10"), Decimal("-3.33"), Decimal("12345678.99")],
    "ratio": [None, 0.1, -1e300, 1 / 3],
    "at": [
        None,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(2025, 12, 31, 19, tzinfo=timezone(timedelta(hours=-5))),
    ],
    "day": [None, date(2026, 2, 28), date(1, 1, 1)],
    "key": [None],
    "kind": [None, *Kind],
    "native": [None, *Kind],
    "done": [None, True, False],
    "raw": [None, b"", b"\x00\xff"],
}
items = st.lists(
    st.fixed_dictionaries({name: st.sampled_from(found) for name, found in VALUES.items()}),
    max_size=12,
).map(lambda rows: [{**row, "key": uuid.uuid4() if row["rank"] else None} for row in rows])
orders = st.lists(
    st.tuples(
        st.sampled_from([*VALUES, "id"]),
        st.booleans(),
        st.sampled_from(["", "nulls_first", "nulls_last"]),
    ),
    max_size=4,
    unique_by=lambda key: key[0],
)
walking = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


solids = st.lists(
    st.fixed_dictionaries(
        {
            name: st.sampled_from([value for value in found if value is not None])
            for name, found in {**VALUES, "key": [uuid.UUID(int=7), uuid.UUID(int=2**127)]}.items()
        }
    ),
    max_size=12,
)


def ordered(
    statement: Select[Any], order: list[tuple[str, bool, str]], model: type[Any] = Item
) -> Select[Any]:
    for name, descending, nulls in order:
        column = getattr(model, name)
        clause = column.desc() if descending else column
        statement = statement.order_by(getattr(clause, nulls)() if nulls else clause)
    return statement


async def fill(db: DatabaseConnection, rows: list[dict[str, Any]]) -> None:
    async with db.session().atomic() as session:
        await session.execute(delete(Mark))
        await session.execute(delete(Item))
        await session.bulk_insert(Item, rows)


async def forward(
    session: Session, statement: Select[Any], limit: int, **options: Any
) -> tuple[list[Any], str | None]:
    """Walk to the end; give what was seen, and the way back."""
    seen: list[Any] = []
    after = None
    while True:
        page = await paginate(session, statement, Keyset(limit=limit, after=after), **options)
        assert len(page.items) == limit or page.next is None
        assert (page.previous is None) == (after is None or not page.items)
        seen += page.items
        if page.next is None:
            return [*seen], page.previous if page.items else None
        after = page.next


async def back(
    session: Session, statement: Select[Any], limit: int, before: str | None
) -> list[Any]:
    """Walk from a cursor back to the beginning."""
    seen: list[Any] = []
    while before is not None:
        page = await paginate(session, statement, Keyset(limit=limit, before=before))
        assert page.next is not None
        seen = [*page.items, *seen]
        before = page.previous
    return seen


@walking
@given(rows=items, order=orders, limit=st.integers(1, 4))
async def test_forward_and_back_visits_each_row_once(
    db: DatabaseConnection, rows: list[Any], order: list[Any], limit: int
) -> None:
    await fill(db, rows)
    session = db.session()
    statement = ordered(select(Item.id), order)
    expected = list(await session.scalars(ordering_of(statement).applied(statement)))
    assert len(set(expected)) == len(rows)
    seen, previous = await forward(session, statement, limit)
    assert seen == expected
    shown = len(expected) % limit or limit
    assert await back(session, statement, limit, previous) == expected[: max(0, len(rows) - shown)]


@walking
@given(rows=solids, order=orders, one=st.sampled_from([None, True, False]))
async def test_columns_that_are_never_null_are_walked_alike(
    db: DatabaseConnection, rows: list[Any], order: list[Any], one: bool | None
) -> None:
    """Also where all are sorted in one direction, and compared at once."""
    async with db.session().atomic() as session:
        await session.execute(delete(Solid))
        await session.bulk_insert(Solid, rows)
    if one is not None:
        order = [(name, one, "") for name, _, _ in order]
    statement = ordered(select(Solid.id), order, Solid)
    expected = list(await session.scalars(ordering_of(statement).applied(statement)))
    seen, previous = await forward(session, statement, 3)
    assert seen == expected
    assert len(expected) == len(rows)
    shown = len(expected) % 3 or 3
    assert await back(session, statement, 3, previous) == expected[: max(0, len(rows) - shown)]


@walking
@given(rows=items, order=orders, limit=st.integers(1, 4))
async def test_offset_pages_show_the_same_order(
    db: DatabaseConnection, rows: list[Any], order: list[Any], limit: int
) -> None:
    await fill(db, rows)
    session = db.session()
    statement = ordered(select(Item), order)
    seen: list[int] = []
    has_next = True
    while has_next:
        page = await paginate(session, statement, Offset(limit=limit, offset=len(seen)), total=True)
        seen += [item.id for item in page.items]
        has_next = page.has_next
        assert page.total == len(rows)
    by_keyset, _ = await forward(session, statement, limit)
    assert seen == [item.id for item in by_keyset]
    assert len(set(seen)) == len(rows)


@walking
@given(rows=items, more=items, order=orders, limit=st.integers(1, 3))
async def test_rows_that_come_and_go_meanwhile_move_no_other(
    db: DatabaseConnection, rows: list[Any], more: list[Any], order: list[Any], limit: int
) -> None:
    await fill(db, rows)
    statement = ordered(select(Item.id), order)
    there = set(await db.session().scalars(select(Item.id)))
    seen: list[int] = []
    after = None
    while True:
        page = await paginate(db.session(), statement, Keyset(limit=limit, after=after))
        seen += page.items
        after = page.next
        if after is None:
            break
        async with db.session().atomic() as writer:
            if more:
                await writer.execute(insert(Item).values(more.pop()))
            # The row that the cursor was made of: a cursor is a place and no row.
            await writer.execute(delete(Item).where(Item.id == page.items[-1]))
    assert len(set(seen)) == len(seen)
    assert there <= set(seen)


# --- what SQL has written, and not Python --------------------------------------------------------


async def test_values_that_sql_wrote_are_places_too(db: DatabaseConnection) -> None:
    """SQLite stores a time of CURRENT_TIMESTAMP in a shorter form, and digits beyond the scale."""
    async with db.session().atomic() as session:
        for _ in range(7):
            await session.execute(text("INSERT INTO item (rank, price) VALUES (1, 0.12345)"))
    statement = select(Item.id).order_by(Item.at.desc(), Item.price)
    seen, previous = await forward(db.session(), statement, 2)
    assert sorted(seen) == list(range(1, 8))
    assert await back(db.session(), statement, 2, previous) == seen[:-1]


async def test_null_is_larger_than_all_values_on_every_database(db: DatabaseConnection) -> None:
    await fill(db, [{"title": title} for title in ("b", None, "a")])
    for clause, expected in [
        (Item.title, ["a", "b", None]),
        (Item.title.desc(), [None, "b", "a"]),
        (Item.title.nulls_first(), [None, "a", "b"]),
        (Item.title.desc().nulls_last(), ["b", "a", None]),
    ]:
        statement = select(Item.title).order_by(clause)
        assert (await forward(db.session(), statement, 1))[0] == expected
        page = await paginate(db.session(), statement, Offset())
        assert page.items == expected


async def test_rows_with_equal_values_follow_the_last_direction(db: DatabaseConnection) -> None:
    """So that one index, read forwards or backwards, has the whole order."""
    await fill(db, [{"rank": 1}, {"rank": 1}, {"rank": 2}])
    first = await db.session().scalar(select(sa.func.min(Item.id))) or 0
    for order, expected in [
        ([Item.rank.desc()], [2, 1, 0]),
        ([Item.rank], [0, 1, 2]),
        ([Item.title, Item.rank.desc()], [2, 1, 0]),
        ([], [0, 1, 2]),
    ]:
        seen, _ = await forward(db.session(), select(Item.id).order_by(*order), 1)
        assert [identity - first for identity in seen] == expected


# --- statements of other forms -------------------------------------------------------------------


async def shelves(db: DatabaseConnection) -> None:
    """Three shelves, one of them empty, and an item on none; two marks on each item."""
    async with db.session().atomic() as session:
        session.add_all(
            Shelf(room=room, items=[Item(title=f"{room}{n}", rank=n) for n in range(count)])
            for room, count in [("a", 2), (None, 3), ("c", 0)]
        )
        session.add(Item(title="loose", rank=0))
        await session.flush()
        for item in await session.scalars(select(Item)):
            session.add_all([Mark(item_id=item.id, text="1"), Mark(item_id=item.id, text="2")])


async def walked(db: DatabaseConnection, statement: Select[Any], **options: Any) -> list[Any]:
    """What pages of two show, by keyset and by offset alike."""
    session = db.session()
    seen, _ = await forward(session, statement, 2, **options)
    by_offset: list[Any] = []
    has_next = True
    while has_next:
        page = await paginate(session, statement, Offset(limit=2, offset=len(by_offset)), **options)
        by_offset += page.items
        has_next = page.has_next
    assert seen == by_offset
    return seen


async def test_a_join_to_one_adds_nothing_to_the_order(db: DatabaseConnection) -> None:
    await shelves(db)
    statement = select(Item).join(Item.shelf).order_by(Shelf.room.desc(), Item.rank)
    assert [key.bare().name for key in ordering_of(statement).keys] == ["room", "rank", "id"]
    titles = [item.title for item in await walked(db, statement)]
    assert titles == ["None0", "None1", "None2", "a0", "a1"]


async def test_an_outer_join_has_places_where_nothing_fits(db: DatabaseConnection) -> None:
    await shelves(db)
    statement = (
        select(Shelf.id, Item.title).outerjoin(Shelf.items).order_by(Item.rank.desc(), Shelf.id)
    )
    rows = await walked(db, statement)
    assert [tuple(row) for row in rows] == [
        (3, None),
        (2, "None2"),
        (1, "a1"),
        (2, "None1"),
        (1, "a0"),
        (2, "None0"),
    ]
    assert rows[0].title is None, "a row keeps its names"


async def test_what_an_outer_join_leaves_out_has_a_place(db: DatabaseConnection) -> None:
    """The column is never NULL in its table, and still in this list."""
    await shelves(db)
    shelf = sa.orm.aliased(Shelf)
    for statement in (
        select(Item).outerjoin(Item.shelf).order_by(Shelf.id.desc(), Item.id),
        select(Item).outerjoin(shelf, Item.shelf).order_by(shelf.id.desc(), Item.id),
        select(Item)
        .select_from(sa.outerjoin(Item, shelf, Item.shelf_id == shelf.id))
        .order_by(shelf.id.desc(), Item.id),
    ):
        assert len(ordering_of(statement).keys) == 2, "the shelf of an item is one at most"
        titles = [item.title for item in await walked(db, statement)]
        assert titles == ["loose", "None0", "None1", "None2", "a0", "a1"]


async def test_tables_and_columns_without_models_are_walked_too(db: DatabaseConnection) -> None:
    await shelves(db)
    item, mark = Item.__table__, Mark.__table__
    joined = sa.join(item, mark, item.c.id == mark.c.item_id)
    rows = await walked(db, select(item.c.title, mark.c.text).select_from(joined))
    assert len({tuple(row) for row in rows}) == 12
    assert rows[0].title == "a0"
    assert len(await walked(db, select(item))) == 6


async def test_models_that_share_tables_are_walked_too(db: DatabaseConnection) -> None:
    await shelves(db)
    async with db.session().atomic() as session:
        session.add_all(Book(name=f"b{number}", pages=number, shelf_id=1) for number in range(3))
        session.add_all(Lamp(name=f"l{number}", watts=9, shelf_id=2) for number in range(3))

    async def names(statement: Select[Any]) -> list[Any]:
        return [getattr(found, "name", found) for found in await walked(db, statement)]

    assert await names(select(Book).order_by(Book.pages.desc())) == ["b2", "b1", "b0"]
    assert await names(select(Lamp).order_by(Lamp.watts)) == ["l0", "l1", "l2"]
    everything = ["b0", "b1", "b2", "l0", "l1", "l2"]
    assert await names(select(Thing).order_by(Thing.name)) == everything
    assert await names(select(sa.orm.with_polymorphic(Thing, "*"))) == everything
    lit = select(Shelf.room, Lamp).join(Lamp, Lamp.shelf_id == Shelf.id).order_by(Lamp.name)
    rows = [(row[0], row[1].name) for row in await walked(db, lit)]
    assert rows == [(None, "l0"), (None, "l1"), (None, "l2")]
    lamp = sa.orm.aliased(Lamp, flat=True)
    beside = select(Book.name, lamp).join(lamp, lamp.watts > Book.pages)
    assert len(await walked(db, beside)) == 9
    total = (await paginate(db.session(), select(Book), Keyset(limit=1), total=True)).total
    assert total == 3


async def test_a_row_may_be_locked_with_its_page(db: DatabaseConnection) -> None:
    await shelves(db)
    async with db.session().atomic() as session:
        statement = select(Item).order_by(Item.title).with_for_update()
        page = await paginate(session, statement, Keyset(limit=2))
        assert [item.title for item in page.items] == ["None0", "None1"]


async def test_a_join_to_many_gives_every_joined_row(db: DatabaseConnection) -> None:
    await shelves(db)
    statement = select(Item.title, Mark.text).join(Item.marks).order_by(Item.title)
    rows = [tuple(row) for row in await walked(db, statement)]
    assert len(rows) == len(set(rows)) == 12
    assert rows == sorted(rows)


async def test_tables_that_the_condition_joins_count(db: DatabaseConnection) -> None:
    await shelves(db)
    statement = select(Item.title, Mark.text).where(Mark.item_id == Item.id).order_by(Item.title)
    assert len({tuple(row) for row in await walked(db, statement)}) == 12


async def test_aliases_are_told_apart(db: DatabaseConnection) -> None:
    await shelves(db)
    other = sa.orm.aliased(Item)
    statement = (
        select(Item.id, other.id)
        .join(other, other.rank == Item.rank)
        .order_by(other.title.desc(), Item.rank)
    )
    rows = [tuple(row) for row in await walked(db, statement)]
    assert len(rows) == len(set(rows)) == 3 * 3 + 2 * 2 + 1


async def test_groups_are_told_apart_by_what_they_are_made_by(db: DatabaseConnection) -> None:
    await shelves(db)
    number = sa.func.count(Item.id).label("number")
    total = sa.func.sum(Item.rank)
    statement = (
        select(Shelf.room, number)
        .outerjoin(Shelf.items)
        .group_by(Shelf.room)
        .order_by(number.desc(), total.desc())
    )
    rows = [tuple(row) for row in await walked(db, statement)]
    assert rows == [(None, 3), ("a", 2), ("c", 0)]


async def test_amounts_that_no_column_holds_are_places(db: DatabaseConnection) -> None:
    """A sum has more digits than a Numeric(10, 2), and a third of a price more places."""
    await shelves(db)
    async with db.session() as session, session.atomic():
        await session.execute(sa.update(Item).values(price=Decimal("99999999.99") - Item.id))
    thirds = select(Item.id).order_by(Item.price / 3)
    assert await walked(db, thirds) == sorted(await walked(db, select(Item.id)), reverse=True)
    total = sa.func.sum(Item.price)
    sums = select(Item.rank, total).group_by(Item.rank).order_by(total.desc())
    assert [row[0] for row in await walked(db, sums)] == [0, 1, 2]


async def test_distinct_rows_are_told_apart_by_what_is_selected(db: DatabaseConnection) -> None:
    await shelves(db)
    assert await walked(db, select(Item.rank).distinct()) == [0, 1, 2]
    marked = select(Item).join(Item.marks).distinct().order_by(Item.title.desc())
    assert len(await walked(db, marked)) == 6


async def test_a_subquery_is_told_apart_by_what_the_caller_says(db: DatabaseConnection) -> None:
    await shelves(db)
    both = sa.union_all(select(Shelf.id, sa.literal(1).label("of")), select(Item.id, sa.literal(2)))
    named = both.subquery()
    rows = await walked(
        db, select(named).order_by(named.c.id.desc()), unique_by=[named.c.id, named.c.of]
    )
    assert len({tuple(row) for row in rows}) == len(rows) == 9


async def test_an_expression_is_a_place(db: DatabaseConnection) -> None:
    await shelves(db)
    statement = select(Item.title).order_by(sa.func.coalesce(Item.shelf_id, 99), -Item.rank)
    assert await walked(db, statement) == ["a1", "a0", "None2", "None1", "None0", "loose"]


async def test_eager_loads_neither_cut_nor_repeat(db: DatabaseConnection) -> None:
    await shelves(db)
    for load in (sa.orm.joinedload, sa.orm.selectinload, sa.orm.subqueryload):
        statement = select(Item).options(load(Item.marks), load(Item.shelf)).order_by(Item.title)
        found = await walked(db, statement)
        assert [item.title for item in found] == ["None0", "None1", "None2", "a0", "a1", "loose"]
        assert all(len(item.marks) == 2 for item in found)
