"""Sources: what a statement reads from, and which columns tell its rows apart."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, FromClause, Select
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList
from sqlalchemy.sql.expression import Alias, FromGrouping, Join, TableClause
from sqlalchemy.sql.operators import and_, eq
from sqlalchemy.sql.visitors import iterate

from .errors import PaginationError
from .internals import key_of, only_table_of, shape_of, without_options

__all__ = ["Sources", "sources_of"]

MOST_KNOWN: Final = 512

# A handler has the same statement in each request, and to ask for its joins costs as much as to run
# it. Aliases are new objects each time, and so not kept.
_known: dict[Hashable, Sources] = {}


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
    """Return what a statement reads from.

    Raises:
        PaginationError: It reads a table under a name that SQLAlchemy makes up.
    """
    table = only_table_of(statement)
    if table is not None:
        return Sources(telling=(key_of(table),), optional=frozenset())
    statement = without_options(statement)
    shape = shape_of(statement)
    if shape is not None and shape in _known:
        return _known[shape]
    froms = statement.get_final_froms()
    aliases = {each for source in froms for each in iterate(source) if isinstance(each, Alias)}
    _refuse_made_up(aliases, statement)
    sources = Sources(
        telling=tuple(columns for source in froms for columns in _telling(source)),
        optional=frozenset(table for source in froms for table in _optional(source)),
    )
    if shape is not None and not aliases:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        _known[shape] = sources
    return sources


def _refuse_made_up(aliases: set[Alias], statement: Select[Any]) -> None:
    if aliases and not aliases.issubset(iterate(statement)):
        raise PaginationError(
            "the statement joins a model to another that has a table with it in common",
            code="db.E062",
            hint="give it a name of its own: aliased(Model, flat=True)",
        )


def _telling(source: FromClause) -> Iterator[tuple[ColumnElement[Any], ...]]:
    if isinstance(source, FromGrouping):
        yield from _telling(source.element)
    elif isinstance(source, Join):
        yield from _telling(source.left)
        right = list(_telling(source.right))
        if source.full or not _is_determined(source, right):
            yield from right
    elif isinstance(source.element if isinstance(source, Alias) else source, TableClause):
        yield key_of(source)
    else:
        yield ()  # the key of a subquery's table need not be one of the subquery


def _is_determined(join: Join, right: Sequence[tuple[ColumnElement[Any], ...]]) -> bool:
    """Return whether a join finds one row at most: by all that tells the rows on its right."""
    tables = set(_tables(join.right))
    found: set[Any] = set()
    for pair in _equated(join.onclause):
        for one, other in (pair, pair[::-1]):
            is_given = isinstance(other, BindParameter) or (
                isinstance(other, Column) and other.table not in tables
            )
            found |= {one} if is_given else set()
    return all(columns and found.issuperset(columns) for columns in right)


def _equated(condition: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs of columns that a condition wants to be equal in any case."""
    if isinstance(condition, BooleanClauseList) and condition.operator is and_:
        for clause in condition.clauses:
            yield from _equated(clause)
    elif isinstance(condition, BinaryExpression) and condition.operator is eq:
        yield condition.left, condition.right


def _optional(source: FromClause) -> Iterator[FromClause]:
    if isinstance(source, FromGrouping):
        yield from _optional(source.element)
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
