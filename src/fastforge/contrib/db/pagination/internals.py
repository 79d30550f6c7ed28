"""Internals: the private names of SQLAlchemy by which a statement's parts are read.

As in `contrib.db.internals`: a new version may rename them, and one test of this module tells it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Result, Select

__all__ = [
    "distinct_on",
    "groups_of",
    "has_limit",
    "is_distinct",
    "key_of",
    "must_be_unique",
    "only_table_of",
    "order_of",
    "shape_of",
    "without_options",
]


def order_of(statement: Select[Any]) -> Iterator[ColumnElement[Any] | None]:
    """Yield what a statement is ordered by; None for a text, which nothing can be told of."""
    return _bare(statement._order_by_clauses)


def groups_of(statement: Select[Any]) -> Iterator[ColumnElement[Any] | None]:
    """Yield what a statement is grouped by; None for a text."""
    return _bare(statement._group_by_clauses)


def _bare(clauses: Iterable[Any]) -> Iterator[ColumnElement[Any] | None]:
    for clause in clauses:
        inner = clause.element if clause.__visit_name__ == "label_reference" else clause
        is_text = inner.__visit_name__ in ("textual_label_reference", "textclause")
        yield None if is_text else inner


def is_distinct(statement: Select[Any]) -> bool:
    """Return whether a statement has DISTINCT."""
    return bool(statement._distinct)


def distinct_on(statement: Select[Any]) -> bool:
    """Return whether a statement has PostgreSQL's DISTINCT ON."""
    return bool(statement._distinct_on or statement._pre_columns_clause is not None)


def has_limit(statement: Select[Any]) -> bool:
    """Return whether a statement has LIMIT, OFFSET or FETCH."""
    clauses = (statement._limit_clause, statement._offset_clause, statement._fetch_clause)
    return any(clause is not None for clause in clauses)


def must_be_unique(result: Result[Any]) -> bool:
    """Return whether a result repeats rows, as an eager load of a collection by a join does."""
    return result._unique_filter_state is not None


def without_options(statement: Select[Any]) -> Select[Any]:
    """Return a statement without its options, which may add to what it reads from."""
    bare = statement._generate()
    bare._with_options = ()
    return bare


def shape_of(statement: Select[Any]) -> Hashable | None:
    """Return what is equal for statements that differ in values and in aliases alone."""
    key = statement._generate_cache_key()
    return None if key is None else key.key


def key_of(source: FromClause) -> tuple[ColumnElement[Any], ...]:
    """Return the primary key of a table or alias, as the columns that statements name.

    What the ORM has annotated has columns of its own, equal to no others.
    """
    bare: FromClause = source._deannotate()
    return tuple(bare.primary_key)


def only_table_of(statement: Select[Any]) -> FromClause | None:
    """Return the one table that a statement reads, where that is seen at once."""
    if statement._setup_joins or statement._from_obj:
        return None
    clauses = (*statement._raw_columns, *statement._where_criteria)
    tables = {table for clause in clauses for table in clause._from_objects}
    only = tables.pop() if len(tables) == 1 else None
    return only if only is not None and only.__visit_name__ == "table" else None
