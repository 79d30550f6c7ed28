"""The private names of SQLAlchemy by which statements are read say what they said."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on as distinct_on_of_postgresql
from sqlalchemy.orm import joinedload

from fastforge.contrib.db.pagination.internals import (
    distinct_on,
    froms_of,
    groups_of,
    has_limit,
    is_distinct,
    key_of,
    must_be_unique,
    order_of,
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


def test_what_a_statement_reads_from_without_what_its_options_add() -> None:
    item = Item.__table__
    assert froms_of(select(Item).where(Item.rank > 1).options(joinedload(Item.marks))) == [item]
    assert froms_of(select(Item.id)) == [item]
    assert set(froms_of(select(Item).where(Mark.item_id == Item.id))) == {item, Mark.__table__}
    (joined,) = froms_of(select(Item).join(Item.shelf).options(joinedload(Item.marks)))
    assert isinstance(joined, sa.Join)
    assert (joined.left, joined.right) == (item, Shelf.__table__)
    inner = sa.exists().where(Mark.item_id == Item.id)
    assert froms_of(select(Item).where(inner)) == [item]
    assert froms_of(select(sa.literal(1))) == []


def test_the_key_of_an_alias_is_the_one_that_statements_name() -> None:
    other = sa.orm.aliased(Item)
    (found,) = froms_of(select(other))
    assert set(key_of(found)) == {other.id.expression}


async def test_a_result_that_repeats_rows_is_seen(db: DatabaseConnection) -> None:
    session = db.session()
    assert must_be_unique(await session.execute(select(Item).options(joinedload(Item.marks))))
    assert not must_be_unique(await session.execute(select(Item).options(joinedload(Item.shelf))))
    assert not must_be_unique(await session.execute(select(Item.id)))
