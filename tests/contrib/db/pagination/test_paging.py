"""What a page costs, what is refused, and what cursors of others do to a database: nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event, select
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from fastforge.contrib.db.dialects import dialect_of
from fastforge.contrib.db.pagination import (
    InvalidCursor,
    Keyset,
    Offset,
    PaginationError,
    keyset_page,
    offset_page,
    paginate,
)
from fastforge.contrib.db.pagination.cursors import cursor_of
from fastforge.contrib.db.pagination.ordering import ordering_of
from fastforge.contrib.db.resources import DatabaseConnection
from fastforge.test.proxy import Proxy

from .tables import Book, Item, Kind, Lamp, Mark, Shelf, opened


async def fill(db: DatabaseConnection, count: int) -> None:
    async with db.session().atomic() as session:
        await session.bulk_insert(Item, ({"title": f"{number:03}"} for number in range(count)))


# --- what it costs -------------------------------------------------------------------------------


async def test_a_page_is_one_round_trip_and_its_total_another(each_postgres_url: str) -> None:
    with Proxy(each_postgres_url) as proxy:
        async with opened(proxy.url, pool_size=1) as db:
            await fill(db, 30)
            statement = select(Item).order_by(Item.title)
            trips: dict[str, int] = {}
            cursor = (await paginate(db.session(), statement, Keyset(limit=10))).next
            pages: dict[str, tuple[Any, bool]] = {
                "offset": (Offset(limit=10, offset=10), False),
                "offset and total": (Offset(limit=10, offset=10), True),
                "the last offset and total": (Offset(limit=10, offset=20), True),
                "keyset": (Keyset(limit=10, after=cursor), False),
                "keyset back": (Keyset(limit=10, before=cursor), False),
                "keyset and total": (Keyset(limit=10), True),
            }
            for _ in range(8):  # psycopg prepares a statement that comes again and again
                for name, (page, total) in pages.items():
                    before = proxy.round_trips
                    found = await paginate(db.session(), statement, page, total=total)
                    trips[name] = proxy.round_trips - before
                    assert found.total == (30 if total else None)
    assert trips == {
        "offset": 1,
        "offset and total": 2,
        "the last offset and total": 1,
        "keyset": 1,
        "keyset back": 1,
        "keyset and total": 2,
    }


async def test_no_page_reads_more_than_its_limit_and_one(db: DatabaseConnection) -> None:
    await fill(db, 30)
    limits: list[Any] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        found = parameters.values() if isinstance(parameters, dict) else parameters
        limits.extend(value for value in found if value == 8)
        assert "LIMIT" in statement

    engine = db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    await paginate(db.session(), select(Item), Offset(limit=7))
    await paginate(db.session(), select(Item), Keyset(limit=7))
    event.remove(engine, "before_cursor_execute", note)
    assert limits == [8, 8]


async def test_a_page_behind_the_end_is_empty_and_counted(db: DatabaseConnection) -> None:
    await fill(db, 3)
    page = await paginate(db.session(), select(Item), Offset(offset=7), total=True)
    assert (page.items, page.has_next, page.total) == ([], False, 3)
    none = await paginate(db.session(), select(Item).where(sa.false()), Offset(), total=True)
    assert (none.items, none.total) == ([], 0)
    first = await paginate(db.session(), select(Item).where(sa.false()), Keyset())
    assert (first.items, first.next, first.previous) == ([], None, None)


async def test_one_order_is_compared_as_an_index_over_it_is(postgres_url: str) -> None:
    async with opened(postgres_url) as db:
        await fill(db, 3)
        sent: list[str] = []
        event.listen(
            db.engine.sync_engine, "before_cursor_execute", lambda *said: sent.append(said[2])
        )
        for statement in (
            select(Item.id).order_by(Item.rank),
            select(Item.id).order_by(Item.rank.desc(), Item.id),
        ):
            first = await paginate(db.session(), statement, Keyset(limit=1))
            await paginate(db.session(), statement, Keyset(limit=1, after=first.next))
        assert "(item.rank, item.id) > (" in sent[1]
        assert "item.rank <= " in sent[3], "where a range of an index can begin"
        assert "NULLS" not in "".join(sent), "an index has no other order than this"


# --- what is refused -----------------------------------------------------------------------------


async def refused(db: DatabaseConnection, statement: Any, page: Any, match: str) -> None:
    with pytest.raises(PaginationError, match=match):
        await paginate(db.session(), statement, page)


async def test_what_has_no_total_order_is_refused(sqlite_url: str) -> None:
    async with opened(sqlite_url) as db:
        numbers = sa.union_all(select(sa.literal(1).label("number")), select(sa.literal(2)))
        numbers = numbers.subquery()
        for page in (Offset(), Keyset()):
            await refused(db, select(numbers), page, r"db\.E062.*no primary key; say what does")
            await refused(db, select(sa.literal(1)), page, r"db\.E062")
            inner = select(Item.id).subquery()
            await refused(db, select(inner), page, r"db\.E062")
            await refused(db, select(Item).order_by("title"), page, r"db\.E062.*by a text")
            await refused(db, select(Item).order_by(sa.text("title")), page, r"db\.E062")
        seen = await paginate(db.session(), select(numbers), Keyset(), unique_by=[numbers.c.number])
        assert seen.items == [1, 2]


@pytest.mark.filterwarnings("ignore:An alias is being generated automatically")
async def test_a_table_that_sqlalchemy_names_itself_is_refused(sqlite_url: str) -> None:
    """Its name is another in each statement: the order would be by a table that nothing joins."""
    async with opened(sqlite_url) as db:
        overlapping = select(Book).join(Lamp, Lamp.watts == Book.pages)
        await refused(db, overlapping, Offset(), r"db\.E062.*aliased\(Model, flat=True\)")


async def test_what_was_found_out_of_a_statement_holds_for_others_of_its_form(
    db: DatabaseConnection,
) -> None:
    async with db.session().atomic() as session:
        session.add_all(Item(rank=n, marks=[Mark(text="a"), Mark(text="b")]) for n in range(4))
    for rank in (0, 2):
        for join in (Item.marks, Item.shelf):
            for outer in (False, True):
                statement = select(Item.id).join(join, isouter=outer).where(Item.rank >= rank)
                expected = sorted(await db.session().scalars(statement))
                page = await paginate(db.session(), statement, Offset())
                assert page.items == expected


async def test_statements_that_pages_would_change_are_refused(sqlite_url: str) -> None:
    async with opened(sqlite_url) as db:
        for page in (Offset(), Keyset()):
            await refused(db, select(Item).limit(3), page, r"db\.E063.*a limit or an offset of its")
            await refused(db, select(Item).offset(3), page, r"db\.E063")
            both = sa.union(select(Item.id), select(Shelf.id))
            await refused(db, both, page, r"db\.E063.*a CompoundSelect and no select")
        latest = select(Item).order_by(Item.id).ext(distinct_on(Item.rank))
        await refused(db, latest, Keyset(), r"db\.E063.*DISTINCT ON")


async def test_a_collection_that_a_join_loads_is_refused_where_pages_would_cut_it(
    db: DatabaseConnection,
) -> None:
    async with db.session().atomic() as session:
        session.add(Item(marks=[Mark(text="1"), Mark(text="2")]))
    joined = select(Item).join(Item.marks).options(sa.orm.contains_eager(Item.marks))
    for page in (Offset(), Keyset()):
        await refused(db, joined, page, r"db\.E065.*selectinload")


async def test_a_value_of_no_type_is_refused_before_its_cursor(db: DatabaseConnection) -> None:
    unknown = select(Item).order_by(sa.func.pg_column_size(Item.title))
    await refused(db, unknown, Keyset(), r"db\.E064.*type the values of pg_column_size")
    if db.engine.dialect.name != "sqlite":
        array = select(Item).order_by(sa.func.jsonb_build_array(Item.rank, type_=JSONB))
        await fill(db, 3)
        await refused(db, array, Keyset(limit=1), r"db\.E064.*type list, which no cursor can hold")


async def test_after_and_before_exclude_each_other() -> None:
    with pytest.raises(InvalidCursor, match=r"db\.E068"):
        Keyset(after="a", before="b")


@pytest.mark.parametrize("declare", [offset_page, keyset_page])
def test_limits_that_contradict_each_other_are_refused(declare: Any) -> None:
    with pytest.raises(PaginationError, match=r"db\.E069.*200 does not lie between 1 and the max"):
        declare(default=200, maximum=100)
    with pytest.raises(PaginationError, match=r"db\.E069"):
        declare(default=0)


# --- cursors that the list did not give out ------------------------------------------------------


async def test_a_cursor_is_bound_to_the_order_of_its_list(db: DatabaseConnection) -> None:
    await fill(db, 3)
    orders = [
        [],
        [Item.rank],
        [Item.rank.desc()],
        [Item.title],
        [Item.title.nulls_first()],
        [sa.func.coalesce(Item.title, "a")],
        [sa.func.coalesce(Item.title, "b")],
    ]
    statements = [select(Item.id).order_by(*order) for order in orders]
    cursors = [
        (await paginate(db.session(), statement, Keyset(limit=1))).next for statement in statements
    ]
    assert len(set(cursors)) == len(orders)
    for of, cursor in enumerate(cursors):
        for used, statement in enumerate(statements):
            page = paginate(db.session(), statement, Keyset(after=cursor))
            if of == used:
                assert len((await page).items) >= 2
            else:
                with pytest.raises(InvalidCursor):
                    await page


async def test_the_filter_of_a_list_may_change_between_pages(db: DatabaseConnection) -> None:
    """A cursor is a place in an order; what stands there is not asked."""
    await fill(db, 9)
    statement = select(Item.id).order_by(Item.title)
    first = await paginate(db.session(), statement, Keyset(limit=3))
    rest = await paginate(
        db.session(), statement.where(Item.id % 2 == 0), Keyset(limit=9, after=first.next)
    )
    assert rest.items == [4, 6, 8]


FORGED = [
    ("rank", 1 << 70),
    ("rank", -(1 << 63) - 1),
    ("rank", "text"),
    ("rank", 0.5),
    ("rank", True),
    ("title", "\0"),
    ("title", "\ud800"),
    ("title", 7),
    ("title", b"bytes"),
    ("price", Decimal("1e99999")),
    ("price", Decimal("1e999")),
    ("price", Decimal("Infinity")),
    ("price", Decimal("NaN")),
    ("price", "text"),
    ("at", datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)),
    ("at", datetime.max.replace(tzinfo=UTC)),
    ("at", datetime.min.replace(tzinfo=UTC) + timedelta(days=1)),
    ("at", "2026"),
    ("day", "2026-01-01"),
    ("key", "1"),
    ("kind", "nothing"),
    ("kind", Kind.small),
    ("native", "nothing"),
    ("done", 3),
    ("raw", "text"),
    ("ratio", float("inf")),
    ("ratio", "0.5"),
    ("title", None),
    ("id", None),
]


@pytest.mark.parametrize("place", ["after", "before"])
async def test_a_forged_cursor_gives_rows_or_the_one_error(
    db: DatabaseConnection, place: str
) -> None:
    """Whoever knows the source can make a digest: what reaches the driver is still sound."""
    await fill(db, 3)
    for name, value in FORGED:
        statement = select(Item.id).order_by(getattr(Item, name))
        session = db.session()
        ordering = ordering_of(statement)
        values = [value, *([1] if name != "id" else [])]
        cursor = cursor_of(values, ordering.digest(dialect_of(session)))
        try:
            page = await paginate(session, statement, Keyset(**{place: cursor}))
        except InvalidCursor:
            continue
        assert set(page.items) <= {1, 2, 3}
    short = cursor_of([1], ordering_of(select(Item).order_by(Item.rank)).digest(db.engine.dialect))
    with pytest.raises(InvalidCursor):
        await paginate(db.session(), select(Item).order_by(Item.rank), Keyset(after=short))


async def test_pages_of_one_list_may_be_read_at_once(db: DatabaseConnection) -> None:
    await fill(db, 20)
    statement = select(Item.id).order_by(Item.title)
    pages = await asyncio.gather(
        *(paginate(db.session(), statement, Offset(limit=5, offset=5 * n)) for n in range(4))
    )
    assert [identity for page in pages for identity in page.items] == list(range(1, 21))
