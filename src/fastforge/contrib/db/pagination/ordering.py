"""Ordering: by what a statement is sorted, completed until no two rows have the same place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2s
from typing import Any, Self

from sqlalchemy import BigInteger, Column, ColumnElement, Dialect, Integer, Numeric, Select, inspect
from sqlalchemy.sql.elements import Label, UnaryExpression
from sqlalchemy.sql.expression import TableClause
from sqlalchemy.sql.operators import asc_op, desc_op, nulls_first_op, nulls_last_op
from sqlalchemy.types import NullType, TypeEngine

from ..dialects import SQLITE, plain_type
from .errors import PaginationError
from .internals import groups_of, is_distinct, order_of
from .sources import Sources, sources_of

__all__ = ["Ordering", "SortKey", "ordering_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SortKey:
    """One column or expression of an order.

    Attributes:
        expression: What is sorted by.
        descending: Whether the largest comes first.
        nulls_first: Whether NULL comes before all values.
        nullable: Whether NULL can be among them.
    """

    expression: ColumnElement[Any]
    descending: bool = False
    nulls_first: bool = False
    nullable: bool = False

    def reversed(self) -> Self:
        """Return the key of the opposite order."""
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def clause(self) -> ColumnElement[Any]:
        """Return what stands in ORDER BY; where NULL comes is left to nobody's default."""
        clause = self.expression.desc() if self.descending else self.expression.asc()
        if not self.nullable:
            return clause
        return clause.nulls_first() if self.nulls_first else clause.nulls_last()

    def bare(self) -> ColumnElement[Any]:
        """Return the expression without a name, for SELECT and WHERE."""
        return self.expression.element if isinstance(self.expression, Label) else self.expression

    def type_in(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type by which values go to a cursor and come back exactly.

        SQLite compares what is stored, whatever Python makes of it: a time that SQL wrote has
        another form than one that SQLAlchemy wrote. So its values are left as they are.

        Raises:
            PaginationError: The expression has no type.
        """
        if isinstance(self.expression.type, NullType):
            raise PaginationError(
                f"nobody knows of which type the values of {_told(self.bare())} are",
                code="db.E064",
                hint="say it: func.distance(Shop.place, here, type_=Float)",
            )
        if dialect.name == SQLITE:
            return NullType()
        type_ = plain_type(self.expression.type, dialect)
        if isinstance(type_, Integer):
            return BigInteger()  # a sum may not fit
        # Nor may that of amounts, and what they are multiplied by has more places than they have.
        if isinstance(type_, Numeric):
            return Numeric() if type_.asdecimal else Numeric(asdecimal=False)
        return type_

    def described(self) -> str:
        """Return what tells the key from others, in every process alike."""
        return f"{_told(self.bare())} {self.descending} {self.nulls_first}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """A total order of a statement's rows.

    Attributes:
        keys: What is sorted by, the first before the second.
        multiplies: Whether a join gives a row of a table more than once.
    """

    keys: tuple[SortKey, ...]
    multiplies: bool = False

    def applied(self, statement: Select[Any], *, backward: bool = False) -> Select[Any]:
        """Return a statement in this order, or in its opposite."""
        keys = [key.reversed() for key in self.keys] if backward else self.keys
        return statement.order_by(None).order_by(*(key.clause() for key in keys))

    def digest(self, dialect: Dialect) -> bytes:
        """Return what tells the order from others, where its cursors come from."""
        text = "\n".join((dialect.name, *(key.described() for key in self.keys)))
        return blake2s(text.encode()).digest()


def ordering_of(statement: Select[Any], unique_by: Sequence[Any] = ()) -> Ordering:
    """Return the order of a statement, completed by what tells its rows apart.

    That is the primary key of what it reads from, of each joined table too whose rows can make
    several of another's; with GROUP BY what it groups by; with DISTINCT all that it selects.

    Args:
        statement: The statement.
        unique_by: What tells its rows apart, where the statement does not show it.

    Raises:
        PaginationError: The order is a text, or nothing tells the rows apart.
    """
    sources = sources_of(statement)
    keys: dict[ColumnElement[Any], SortKey] = {}
    for clause in order_of(statement):
        key = _key(_no_text(clause), sources)
        keys.setdefault(key.expression, key)
    descending = bool(keys) and next(reversed(keys.values())).descending
    for column in _telling(statement, sources, unique_by):
        key = _default_key(column, sources, descending=descending)
        keys.setdefault(key.expression, key)
    return Ordering(keys=tuple(keys.values()), multiplies=sources.is_multiplied)


def _telling(
    statement: Select[Any], sources: Sources, unique_by: Sequence[Any]
) -> Iterator[ColumnElement[Any]]:
    groups = [_no_text(clause) for clause in groups_of(statement)]
    if unique_by:
        yield from (getattr(column, "expression", column) for column in unique_by)
    elif groups:
        yield from groups
    elif is_distinct(statement):
        for selected in statement.column_descriptions:
            yield from _columns(selected["expr"])
    else:
        yield from sources.columns()


def _columns(selected: Any) -> Iterator[ColumnElement[Any]]:
    """Yield what is selected, an entity by its primary key."""
    mapper = getattr(inspect(selected, raiseerr=False), "mapper", None)
    if mapper is not None and not hasattr(selected, "expression"):
        names = (mapper.get_property_by_column(column).key for column in mapper.primary_key)
        yield from (getattr(selected, name).expression for name in names)
    else:
        yield getattr(selected, "expression", selected)


def _key(clause: ColumnElement[Any], sources: Sources) -> SortKey:
    """Return the key that an element of ORDER BY means."""
    descending, nulls_first = False, None
    while isinstance(clause, UnaryExpression) and clause.modifier is not None:
        if clause.modifier in (asc_op, desc_op):
            descending = clause.modifier is desc_op
        elif clause.modifier in (nulls_first_op, nulls_last_op):
            nulls_first = clause.modifier is nulls_first_op
        clause = clause.element
    key = _default_key(clause, sources, descending=descending)
    return key if nulls_first is None else replace(key, nulls_first=nulls_first)


def _default_key(expression: ColumnElement[Any], sources: Sources, *, descending: bool) -> SortKey:
    """Return a key in which NULL is larger than all values, as PostgreSQL has it."""
    nullable = (
        not isinstance(expression, Column)
        or bool(expression.nullable)
        or expression.table in sources.optional
    )
    return SortKey(
        expression=expression, descending=descending, nulls_first=descending, nullable=nullable
    )


def _no_text(clause: ColumnElement[Any] | None) -> ColumnElement[Any]:
    if clause is None:
        raise PaginationError(
            "the statement is ordered or grouped by a text, of which nothing can be told",
            code="db.E062",
            hint="order by columns: .order_by(Order.total.desc())",
        )
    return clause


def _told(expression: ColumnElement[Any]) -> str:
    if isinstance(expression, Column) and isinstance(expression.table, TableClause):
        return f"{expression.table.fullname}.{expression.name}"
    compiled = expression.compile()
    return f"{compiled} {sorted(compiled.params.items())!r}"
