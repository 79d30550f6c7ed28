"""The private names of SQLAlchemy by which statements are read say what they said."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on as distinct_on_of_postgresql
from sqlalchemy.orm import joinedload

from fastforge.contrib.db.pagination.internals import (
    distinct_on,
    groups_of,
    has_limit,
    is_distinct,
    key_of,
    must_be_unique,
    only_table_of,
    order_of,
    shape_of,
    without_options,
)
from fastforge.contrib.db.resources import DatabaseConnection

from .tables import Item, Mark, Shelf


def test_the_order_of_a_statement_and_its_groups() -> None:
    label = (Item.rank + 1).label("more")
    statement = select(label).order_by(Item.title, label.desc(), sa.text("1"), "more")
    title, more, *texts = order_of(statement)
    assert str(title) == "item.title"
    assert isinstance(more, sa.UnaryExpression)
    assert more.element is label
    assert texts == [None, None]
    assert list(order_of(statement.order_by(None))) == []
    assert [str(each) for each in groups_of(select(label).group_by(Item.rank))] == ["item.rank"]


@pytest.mark.parametrize(
    ("statement", "has"),
    [
        (select(Item), False),
        (select(Item).limit(0), True),
        (select(Item).offset(1), True),
        (select(Item).fetch(1), True),
    ],
)
def test_a_limit_is_seen(statement: sa.Select[tuple[Item]], has: bool) -> None:
    assert has_limit(statement) is has


def test_distinct_is_seen() -> None:
    assert not is_distinct(select(Item))
    assert is_distinct(select(Item).distinct())
    assert not distinct_on(select(Item).distinct())
    assert distinct_on(select(Item).ext(distinct_on_of_postgresql(Item.rank)))


def test_one_table_is_seen_at_once() -> None:
    item = Item.__table__
    assert only_table_of(select(Item).where(Item.rank > 1).options(joinedload(Item.marks))) == item
    assert only_table_of(select(Item.id).where(sa.exists().where(Mark.item_id == Item.id))) == item
    assert only_table_of(select(Item).where(Mark.item_id == Item.id)) is None
    assert only_table_of(select(Item).join(Item.shelf)) is None
    assert only_table_of(select(sa.orm.aliased(Item))) is None
    assert only_table_of(select(sa.literal(1))) is None


def test_options_add_nothing_to_what_is_read() -> None:
    statement = select(Item).join(Item.shelf).options(joinedload(Item.marks))
    (joined,) = without_options(statement).get_final_froms()
    assert isinstance(joined, sa.Join)
    assert (joined.left, joined.right) == (Item.__table__, Shelf.__table__)


def test_the_shape_of_a_statement_is_without_its_values() -> None:
    def shape(rank: int) -> object:
        return shape_of(select(Item).join(Item.shelf).where(Item.rank > rank))

    assert shape(1) is not None
    assert shape(1) == shape(2)
    assert hash(shape(1)) == hash(shape(2))
    assert shape(1) != shape_of(select(Item).outerjoin(Item.shelf).where(Item.rank > 1))


def test_the_key_of_an_alias_is_the_one_that_statements_name() -> None:
    other = sa.orm.aliased(Item)
    (found,) = select(other).get_final_froms()
    assert set(key_of(found)) == {other.id.expression}


async def test_a_result_that_repeats_rows_is_seen(db: DatabaseConnection) -> None:
    session = db.session()
    assert must_be_unique(await session.execute(select(Item).options(joinedload(Item.marks))))
    assert not must_be_unique(await session.execute(select(Item).options(joinedload(Item.shelf))))
    assert not must_be_unique(await session.execute(select(Item.id)))
