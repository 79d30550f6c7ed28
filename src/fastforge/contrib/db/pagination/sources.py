"""Sources: what a statement reads from, and which columns tell its rows apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList
from sqlalchemy.sql.expression import Alias, Join, TableClause
from sqlalchemy.sql.operators import and_, eq
from sqlalchemy.sql.visitors import iterate

from .errors import PaginationError
from .internals import froms_of, key_of

__all__ = ["Sources", "sources_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a statement reads from.

    Attributes:
        telling: For each table whose rows can make several of another's, its primary key; empty
            for what has none.
        optional: The tables that an outer join fills with NULL where nothing fits.
    """

    telling: tuple[tuple[ColumnElement[Any], ...], ...]
    optional: frozenset[FromClause]

    @property
    def is_multiplied(self) -> bool:
        """Whether a join gives a row of a table more than once."""
        return len(self.telling) > 1

    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """Return the columns that tell all rows apart.

        Raises:
            PaginationError: Something that is read has no primary key.
        """
        if not self.telling or not all(self.telling):
            raise PaginationError(
                "nothing tells two rows with equal values apart: what the statement reads has no"
                " primary key",
                code="db.E062",
                hint="say what does: paginate(..., unique_by=[columns])",
            )
        return tuple(column for columns in self.telling for column in columns)


def sources_of(statement: Select[Any]) -> Sources:
    """Return what a statement reads from."""
    froms = froms_of(statement)
    return Sources(
        telling=tuple(columns for source in froms for columns in _telling(source)),
        optional=frozenset(table for source in froms for table in _optional(source)),
    )


def _telling(source: FromClause) -> Iterator[tuple[ColumnElement[Any], ...]]:
    if isinstance(source, Join):
        yield from _telling(source.left)
        if source.full or not _is_determined(source):
            yield from _telling(source.right)
    elif isinstance(source.element if isinstance(source, Alias) else source, TableClause):
        yield key_of(source)
    else:
        yield ()  # the key of a subquery's table need not be one of the subquery


def _is_determined(join: Join) -> bool:
    """Return whether a join finds one row at most: by the whole primary key of a table."""
    right = set() if isinstance(join.right, Join) else set(key_of(join.right))
    if not right:
        return False
    equal: set[Any] = set()
    for one, other in _equated(join.onclause):
        equal |= {one} if other not in right else set()
        equal |= {other} if one not in right else set()
    return right <= equal


def _equated(condition: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of columns that a condition wants to be equal in any case."""
    if isinstance(condition, BooleanClauseList) and condition.operator is and_:
        for clause in condition.clauses:
            yield from _equated(clause)
    elif isinstance(condition, BinaryExpression) and condition.operator is eq:
        yield condition.left, condition.right


def _optional(source: FromClause) -> Iterator[FromClause]:
    if not isinstance(source, Join):
        return
    yield from _optional(source.left)
    yield from _optional(source.right)
    if source.isouter or source.full:
        yield from _tables(source.right)
    if source.full:
        yield from _tables(source.left)


def _tables(source: FromClause) -> Iterator[FromClause]:
    return (each for each in iterate(source) if isinstance(each, FromClause))
