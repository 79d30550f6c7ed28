"""Idiom: what differs between the two dialects: the clock, and rows that are given as a parameter.

Many rows are written by one statement whose text is always the same, so that it is built once
here, prepared once by the driver and planned once by the database, however many rows there are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.sql.expression import ColumnClause

from ....tasks.clock import Clock
from ...db.model import UtcDateTime

if TYPE_CHECKING:
    from sqlalchemy.dialects import sqlite

__all__ = ["Bound", "Columns", "Idiom", "to_json"]

Bound = tuple[sa.Executable, dict[str, Any]]
"""A statement, and its parameters."""
Columns = Iterable[ColumnClause[Any]]

TIME: Final = UtcDateTime()
SECOND: Final = timedelta(seconds=1)
GIVEN: Final = "given"

T = TypeVar("T")


def to_json(value: Any) -> str:
    """Return JSON in ASCII: PostgreSQL's text has no place for a zero character."""
    return json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True, slots=True, eq=False)
class Idiom:
    """How statements are written for one dialect.

    Leases and due times are read by one clock: PostgreSQL's own, or that of the one host on which
    a SQLite file lives.

    Args:
        dialect: That of PostgreSQL or SQLite.
        clock: How much later it is than that; on SQLite also what tells the time.
    """

    dialect: sa.Dialect
    clock: Clock = field(default_factory=Clock)
    _built: dict[Callable[[Idiom], Any], Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def is_postgresql(self) -> bool:
        """Whether rows can be locked and workers notified."""
        return self.dialect.name == "postgresql"

    def insert(self, table: sa.Table) -> sqlite.Insert:
        """Begin an INSERT that says what is to be done where a row is there already.

        Both dialects have the same words for it. Only that of the database is imported.
        """
        insert: sqlite.Insert = import_module(f"sqlalchemy.dialects.{self.dialect.name}").insert(
            table
        )
        return insert

    def built(self, build: Callable[[Idiom], T]) -> T:
        """Return what a function builds for this idiom: once, since that takes most of the time."""
        found: T | None = self._built.get(build)
        if found is None:
            found = self._built[build] = build(self)
        return found

    # Time

    def now(self) -> sa.ColumnElement[datetime]:
        """Return the time at which the statement runs."""
        return self.later(timedelta())

    def later(self, delay: timedelta) -> sa.ColumnElement[datetime]:
        """Return a time from then."""
        if self.is_postgresql:
            ahead = sa.bindparam(
                None, callable_=lambda: self.clock.ahead + delay, type_=sa.Interval()
            )
            # Not `now()`, the beginning of the transaction: what has become due since is due.
            began = sa.func.statement_timestamp(type_=sa.DateTime(timezone=True))
            return sa.type_coerce(began + ahead, TIME)
        return sa.bindparam(None, callable_=lambda: self.clock.now() + delay, type_=TIME)

    def column_in_s(self, name: str) -> ColumnClause[Any]:
        """Return a column, or parameter, for moments that are so many seconds from now."""
        return sa.column(name, sa.Double() if self.is_postgresql else sa.Text())

    def in_s(self, seconds: float | None) -> float | str | None:
        """Return what such a column holds; None stays so."""
        if seconds is None or self.is_postgresql:
            return seconds
        return str(self._plain_moment(self.clock.now() + timedelta(seconds=seconds)))

    def moment(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[datetime]:
        """Return the moments of such a column."""
        if not self.is_postgresql:
            return sa.type_coerce(column, TIME)
        seconds = column * sa.literal(SECOND, sa.Interval())
        return sa.type_coerce(self.now() + seconds, TIME)

    def moment_in(self, name: str) -> sa.ColumnElement[datetime]:
        """Return the moment of such a parameter."""
        parameter = sa.bindparam(name, type_=self.column_in_s(name).type)
        # Text as SQLite keeps it; with the type of a moment it would be written once more.
        return self.moment(parameter) if self.is_postgresql else parameter

    # Rows as a parameter

    def given(self, columns: Columns, name: str = GIVEN) -> sa.FromClause:
        """Return what `rows` gives, as something to select from."""
        wanted = tuple(columns)
        values = self._arrays(wanted, name) if self.is_postgresql else self._list(wanted, name)
        named = (value.label(each.name) for value, each in zip(values, wanted, strict=True))
        return sa.select(*named).subquery(name)

    def rows(
        self, columns: Columns, rows: Sequence[Mapping[str, Any]], name: str = GIVEN
    ) -> dict[str, Any]:
        """Return the parameters of a statement that has `given` with these columns.

        Args:
            columns: The same.
            rows: What they hold; a name that is left out is NULL.
            name: The same.
        """
        carried = {
            each.name: self._plain(each.type, [row.get(each.name) for row in rows])
            for each in columns
        }
        if self.is_postgresql:
            return {f"{name}_{column}": values for column, values in carried.items()}
        return {name: to_json(list(zip(*carried.values(), strict=True)))}

    def among(self, column: sa.ColumnElement[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a column has one of some values."""
        plain = self._plain(column.type, values)
        if self.is_postgresql:
            array = sa.literal(plain, sa.ARRAY(_carried(column.type)))
            return column == sa.any_(sa.cast(array, sa.ARRAY(column.type)))
        each = sa.func.json_each(to_json(plain)).table_valued("value")
        return column.in_(sa.select(each.c.value))

    def _arrays(
        self, columns: Sequence[ColumnClause[Any]], name: str
    ) -> list[sa.ColumnElement[Any]]:
        arrays = (
            sa.bindparam(f"{name}_{each.name}", type_=sa.ARRAY(_carried(each.type)))
            for each in columns
        )
        names = (sa.column(each.name, _carried(each.type)) for each in columns)
        raw = sa.func.unnest(*arrays).table_valued(*names, name=f"{name}_raw").render_derived()
        return [sa.cast(raw.c[each.name], each.type) for each in columns]

    def _list(self, columns: Sequence[ColumnClause[Any]], name: str) -> list[sa.ColumnElement[Any]]:
        rows = sa.bindparam(name, type_=sa.Text())
        raw = sa.func.json_each(rows).table_valued("value", name=f"{name}_raw")
        return [
            sa.type_coerce(sa.func.json_extract(raw.c.value, f"$[{place}]"), each.type)
            for place, each in enumerate(columns)
        ]

    def _plain(self, kind: Any, values: Iterable[Any]) -> list[Any]:
        """Return the values of a column as the parameter carries them."""
        plain = self._plain_of(kind)
        if plain is None:
            return list(values)
        return [None if value is None else plain(value) for value in values]

    def _plain_of(self, kind: Any) -> Callable[[Any], Any] | None:
        """Return what makes values of a type so; None where they are as they are."""
        if isinstance(kind, sa.JSON):
            return to_json
        if isinstance(kind, UtcDateTime):
            return self._plain_moment
        if isinstance(kind, sa.Uuid) and not self.is_postgresql:
            return _without_hyphens
        # psycopg takes no list of both kinds of numbers.
        return float if isinstance(kind, sa.Float) else None

    def _plain_moment(self, value: datetime) -> Any:
        moment = cast(datetime, TIME.process_bind_param(value, self.dialect))
        return moment if self.is_postgresql else moment.isoformat(sep=" ", timespec="microseconds")


def _without_hyphens(value: str) -> str:
    return value.replace("-", "")


def _carried(kind: Any) -> Any:
    """Return the type of the parameter that carries values of a type."""
    if isinstance(kind, sa.JSON | sa.Uuid):
        return sa.Text()
    return sa.DateTime(timezone=True) if isinstance(kind, UtcDateTime) else kind
