"""Keyset: the condition for the rows behind a place in an order, and the place of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Enum,
    Integer,
    Select,
    and_,
    bindparam,
    or_,
    true,
    tuple_,
    type_coerce,
)
from sqlalchemy.types import DateTime, NullType, TypeEngine

from ..dialects import can_hold
from .cursors import EnumName, cursor_of, invalid_cursor, values_of
from .internals import groups_of
from .ordering import Ordering, SortKey

__all__ = ["Places"]

_STORED_BY_SQLITE = (int, float, str, bytes)


class Places:
    """The places of rows in an order: selected with the rows, and as conditions for others.

    Args:
        ordering: The order.
        dialect: Of the database.
    """

    def __init__(self, ordering: Ordering, dialect: Dialect) -> None:
        self.ordering = ordering
        self.dialect = dialect
        self._types = [key.type_in(dialect) for key in ordering.keys]
        self._order = ordering.digest(dialect)

    def selected(self, statement: Select[Any]) -> Select[Any]:
        """Return a statement that gives each row's place behind its columns."""
        return statement.add_columns(
            *(
                type_coerce(key.bare(), type_).label(f"fastforge_place_{number}")
                for number, (key, type_) in enumerate(self._pairs())
            )
        )

    def cursor(self, row: Sequence[Any]) -> str:
        """Return the cursor of a row that `selected` gave."""
        place = row[len(row) - len(self._types) :]
        values = [_whole(value, type_) for value, type_ in zip(place, self._types, strict=True)]
        return cursor_of(values, self._order)

    def behind(self, statement: Select[Any], cursor: str, *, backward: bool) -> Select[Any]:
        """Return a statement for the rows behind a place, or before it.

        Raises:
            InvalidCursor: The cursor is not one of this order.
        """
        places = values_of(cursor, self._order)
        if len(places) != len(self._types):
            raise invalid_cursor()
        values = [
            self._bound(_restored(value, type_), type_)
            for value, type_ in zip(places, self._types, strict=True)
        ]
        keys = [key.reversed() for key in self.ordering.keys] if backward else self.ordering.keys
        # What is sorted by may be made by the groups; what groups are made by may stand here too.
        limit = statement.having if any(True for _ in groups_of(statement)) else statement.where
        return limit(_behind(list(zip(keys, self._types, values, strict=True))))

    def _pairs(self) -> Iterator[tuple[SortKey, TypeEngine[Any]]]:
        return zip(self.ordering.keys, self._types, strict=True)

    def _bound(self, value: object, type_: TypeEngine[Any]) -> ColumnElement[Any] | None:
        if value is None:
            return None
        if not (_fits(value, type_) and can_hold(type_, value, self.dialect)):
            raise invalid_cursor()
        return bindparam(None, value, type_=type_)


_Part = tuple[SortKey, TypeEngine[Any], ColumnElement[Any] | None]


def _behind(parts: Sequence[_Part]) -> ColumnElement[bool]:
    """Return the condition for the rows behind a place; NULL is a place as others are."""
    directions = {key.descending for key, _, _ in parts}
    if len(directions) == 1 and not any(key.nullable or at is None for key, _, at in parts):
        return _in_one(parts)
    (key, type_, at), *rest = parts
    column: Any = type_coerce(key.bare(), type_)
    inner = _behind(rest) if rest else ~true()
    if at is None:
        here: ColumnElement[bool] = and_(column.is_(None), inner)
        return or_(column.is_not(None), here) if key.nulls_first else here
    beyond: ColumnElement[bool] = column < at if key.descending else column > at
    if not key.nullable:
        # The first half says nothing new, and lets a database begin in the middle of an index.
        reached: ColumnElement[bool] = column <= at if key.descending else column >= at
        return and_(reached, or_(beyond, inner)) if rest else beyond
    if not key.nulls_first:
        beyond = or_(beyond, column.is_(None))
    return or_(beyond, and_(column == at, inner))


def _in_one(parts: Sequence[_Part]) -> ColumnElement[bool]:
    """Compare all columns at once, as an index over them does."""
    columns: list[Any] = [type_coerce(key.bare(), type_) for key, type_, _ in parts]
    values = [at for _, _, at in parts]
    left: Any = tuple_(*columns) if len(parts) > 1 else columns[0]
    right: Any = tuple_(*values) if len(parts) > 1 else values[0]
    condition: ColumnElement[bool] = left < right if parts[0][0].descending else left > right
    return condition


def _whole(value: object, type_: TypeEngine[Any]) -> object:
    """Return a whole number as one: PostgreSQL's sum of large ones is a Decimal."""
    return int(value) if isinstance(value, Decimal) and isinstance(type_, Integer) else value


def _restored(value: object, type_: TypeEngine[Any]) -> object:
    if not isinstance(value, EnumName):
        return value
    enum = type_.enum_class if isinstance(type_, Enum) else None
    if enum is None or value not in enum.__members__:
        raise invalid_cursor()
    return enum.__members__[value]


def _fits(value: object, type_: TypeEngine[Any]) -> bool:
    """Return whether a value is what the type gives: drivers fail of others."""
    if isinstance(type_, NullType):
        return isinstance(value, _STORED_BY_SQLITE)
    if isinstance(value, datetime):
        return isinstance(type_, DateTime) and type_.timezone == (value.tzinfo is not None)
    try:
        wanted = type_.python_type
    except NotImplementedError:
        return True
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
