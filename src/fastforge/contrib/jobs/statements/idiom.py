"""Idiom: what differs between the two dialects: the clock, and rows that are given as a parameter.

Many rows are written by one statement whose text is always the same, so that the database plans
it once and the driver prepares it once, however many rows there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import ColumnClause

from ....tasks.clock import Clock
from ...db.model import UtcDateTime

__all__ = ["Idiom", "to_json"]

TIME: Final = UtcDateTime()
SECOND: Final = timedelta(seconds=1)


def to_json(value: Any) -> str:
    """Return JSON in ASCII: PostgreSQL's text has no place for a zero character."""
    return json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
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

    @property
    def is_postgresql(self) -> bool:
        """Whether rows can be locked and workers notified."""
        return self.dialect.name == "postgresql"

    def now(self) -> sa.ColumnElement[datetime]:
        """Return the time."""
        return self.later(timedelta())

    def later(self, delay: timedelta) -> sa.ColumnElement[datetime]:
        """Return a time from now."""
        if not self.is_postgresql:
            return sa.literal(self.clock.now() + delay, TIME)
        delay += self.clock.ahead
        now: sa.ColumnElement[datetime] = sa.func.now(type_=TIME)
        if not delay:
            return now
        return sa.type_coerce(now + sa.literal(delay, sa.Interval()), TIME)

    # Rows as a parameter

    def given(
        self, columns: Iterable[ColumnClause[Any]], rows: Sequence[Mapping[str, Any]]
    ) -> sa.FromClause:
        """Return rows as something to select from.

        Args:
            columns: Their names and types.
            rows: What they hold; a name that is left out is NULL.
        """
        wanted = list(columns)
        read = self._unnested if self.is_postgresql else self._listed
        values = read(wanted, rows)
        named = (value.label(each.name) for value, each in zip(values, wanted, strict=True))
        return sa.select(*named).subquery("given")

    def column_in_s(self, name: str) -> ColumnClause[Any]:
        """Return a column of `given` for moments that are so many seconds from now."""
        return sa.column(name, sa.Double() if self.is_postgresql else TIME)

    def in_s(self, seconds: float | None) -> float | datetime | None:
        """Return what such a column holds; None stays so."""
        if seconds is None or self.is_postgresql:
            return seconds
        return self.clock.now() + timedelta(seconds=seconds)

    def moment(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[datetime]:
        """Return the moments of such a column."""
        if not self.is_postgresql:
            return sa.type_coerce(column, TIME)
        seconds = column * sa.literal(SECOND, sa.Interval())
        return sa.type_coerce(self.now() + seconds, TIME)

    def among(self, column: sa.ColumnElement[Any], values: Iterable[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that a column has one of some values."""
        plain = [self._plain(column.type, value) for value in values]
        if self.is_postgresql:
            array = sa.literal(plain, ARRAY(_carried(column.type)))
            return column == sa.any_(sa.cast(array, ARRAY(column.type)))
        each = sa.func.json_each(to_json(plain)).table_valued("value")
        return column.in_(sa.select(each.c.value))

    def _unnested(
        self, columns: Sequence[ColumnClause[Any]], rows: Sequence[Mapping[str, Any]]
    ) -> list[sa.ColumnElement[Any]]:
        arrays = (
            sa.literal(
                [self._plain(each.type, row.get(each.name)) for row in rows],
                ARRAY(_carried(each.type)),
            )
            for each in columns
        )
        names = (sa.column(each.name, _carried(each.type)) for each in columns)
        raw = sa.func.unnest(*arrays).table_valued(*names, name="raw").render_derived()
        return [sa.cast(raw.c[each.name], each.type) for each in columns]

    def _listed(
        self, columns: Sequence[ColumnClause[Any]], rows: Sequence[Mapping[str, Any]]
    ) -> list[sa.ColumnElement[Any]]:
        plain = [[self._plain(each.type, row.get(each.name)) for each in columns] for row in rows]
        raw = sa.func.json_each(to_json(plain)).table_valued("value", name="raw")
        return [
            sa.type_coerce(sa.func.json_extract(raw.c.value, f"$[{place}]"), each.type)
            for place, each in enumerate(columns)
        ]

    def _plain(self, kind: Any, value: Any) -> Any:
        """Return a value as the parameter carries it."""
        if value is None:
            return None
        if isinstance(kind, sa.JSON):
            return to_json(value)
        if isinstance(kind, UtcDateTime):
            moment = kind.process_bind_param(value, self.dialect)
            if moment is None or self.is_postgresql:
                return moment
            return moment.isoformat(sep=" ", timespec="microseconds")
        if isinstance(kind, sa.Uuid) and not self.is_postgresql:
            return value.replace("-", "")
        return value


def _carried(kind: Any) -> Any:
    """Return the type of the parameter that carries values of a type."""
    if isinstance(kind, sa.JSON | sa.Uuid):
        return sa.Text()
    return sa.DateTime(timezone=True) if isinstance(kind, UtcDateTime) else kind
