"""Fills: what the rows that are there get in a column that nothing else gives them a value in."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from alembic.operations import ops
from sqlalchemy import Column

from .casting import family
from .columns import computed_before, is_replaced
from .errors import MigrationError
from .items import sql_of_expression
from .named_types import native_enum, on_postgresql, quoted
from .raw import RawStatements, executed, on_postgresql_only
from .rendering import Renderer
from .shapes import TableShape

__all__ = ["Fill", "Unfilled", "checked_value", "filled", "nobody_fills", "unfilled", "values_back"]

_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_WORDS: Final = frozenset(
    {"true", "false", "null", "current_timestamp", "current_date", "current_time"}
)


_NEUTRAL: Final = {
    "text": "''",
    "boolean": "false",
    "integer": "0",
    "number": "0",
    "datetime": "'1970-01-01 00:00:00'",
    "date": "'1970-01-01'",
    "time": "'00:00:00'",
    "uuid": "'00000000000000000000000000000000'",
    "json": "'{}'",
    "bytes": "''",
    "ARRAY": "'{}'",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfilled:
    """A column of which nothing says what rows without a value get.

    It becomes NOT NULL; or it was computed and is no more, so that it is dropped and added.

    Args:
        table: The table as the models want it.
        column: The column.
        is_new: Whether the column is new, so that no row has a value.
        computed: The SQL that it was computed by; empty for any other.
    """

    table: TableShape
    column: Column[Any]
    is_new: bool
    computed: str = ""

    @property
    def key(self) -> str:
        """The table and the column: `blog_post.views`."""
        return f"{self.table.key}.{self.column.name}"

    @property
    def needs_value(self) -> bool:
        """Whether no row can do without: nothing is no answer."""
        has_other = self.column.nullable or self.column.server_default is not None
        return self.is_new and not has_other

    @property
    def question(self) -> str:
        """What to ask the user."""
        if self.computed:
            return f"What do rows get in {self.key}, which is not computed any more? SQL"
        if self.is_new:
            return f"What do the rows that are there get in the new column {self.key}? SQL"
        return (
            f"What do rows get that have no value in {self.key}, which becomes NOT NULL?"
            " SQL, nothing if there are none"
        )

    @property
    def suggestion(self) -> str:
        """What it was computed by, or the default that the model has in Python, as SQL.

        Empty for a default that is not plain.
        """
        if self.computed:
            return self.computed
        default = self.column.default
        value = getattr(default, "arg", None) if default is not None else None
        if isinstance(value, enum.Enum):  # kept by its name, unless the column says otherwise
            by_name = value.name in getattr(self.column.type, "enums", ())
            value = value.name if by_name else value.value
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (int, float)):
            return repr(value)
        return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else ""


Fill: TypeAlias = Callable[[Unfilled], str | None]
"""Answers with SQL for the value, "" where no row is without one; None: nobody is there."""


def nobody_fills(_unfilled: Unfilled) -> str | None:
    """Nobody is there to answer."""
    return None


def unfilled(old: TableShape, new: TableShape, renderer: Renderer) -> Iterator[Unfilled]:
    """Yield the columns of a kept table whose rows need a value first, or would lose theirs."""
    for name, column in new.columns.items():
        before = old.columns.get(name)
        if before is not None and (sql := computed_before(before, column)):
            yield Unfilled(table=new, column=column, is_new=True, computed=sql)
        elif column.nullable:
            continue
        elif before is None or is_replaced(before, column, renderer):
            # Computed and Identity are server defaults too.
            if column.server_default is None:
                yield Unfilled(table=new, column=column, is_new=True)
        elif before.nullable:
            yield Unfilled(table=new, column=column, is_new=False)


def filled(
    table: TableShape, values: Mapping[str, str], *, everywhere: Collection[str] = ()
) -> Iterator[RawStatements]:
    """Yield the statements that give the rows their values.

    Args:
        table: The table as the models want it.
        values: SQL by the column's name; an empty one needs no statement.
        everywhere: The columns in which each row gets it, also one that has a default there.
    """
    schema = f"{quoted(table.schema)}." if table.schema else ""
    for name, value in values.items():
        if value:
            column = quoted(name)
            yield RawStatements(
                executed(
                    f"UPDATE {schema}{quoted(table.name)} SET {column} = {value}"
                    + ("" if name in everywhere else f" WHERE {column} IS NULL")
                )
            )
    if any(key.kw.get("initially") == "DEFERRED" for key in _keys_on(table, values)):
        # PostgreSQL alters no table of which it has rows to check at the end.
        yield on_postgresql_only("SET CONSTRAINTS ALL IMMEDIATE")


def _keys_on(table: TableShape, columns: Collection[str]) -> list[ops.CreateForeignKeyOp]:
    return [key for key in table.foreign_keys if not set(columns).isdisjoint(key.local_cols)]


def values_back(old: TableShape, new: TableShape) -> dict[str, str]:
    """Return what rows get when a dropped column comes back: its values are gone.

    Only for one that is NOT NULL without a default, and refers to no other table.
    """
    links = {name for key in old.foreign_keys for name in key.local_cols}
    return {
        name: neutral
        for name, column in old.columns.items()
        if name not in new.columns and name not in links
        if not column.nullable and column.server_default is None
        if (neutral := _neutral(old, column))
    }


def _neutral(table: TableShape, column: Column[Any]) -> str:
    one_of_few = rf"\"?{re.escape(column.name)}\"? IN \(('(?:[^']|'')*')"
    for item in table.items.values():
        if isinstance(item, ops.CreateCheckConstraintOp):
            found = re.search(one_of_few, sql_of_expression(item.condition))
            if found:  # an enum that is kept as text
                return found[1]
    native = native_enum(column.type)
    if native is not None and isinstance(on_postgresql(column.type), type(native)):
        return "'" + native.enums[0].replace("'", "''") + "'"
    return _NEUTRAL.get(family(column.type), "")


def checked_value(unfilled: Unfilled, value: str) -> str:
    """Return the SQL that somebody typed for a value.

    Raises:
        MigrationError: It is a bare word, and the table has no such column.
    """
    text = value.strip()
    known = {*_WORDS, *unfilled.table.columns} - {unfilled.column.name}
    if not unfilled.column.nullable:
        known.discard("null")
    if _WORD.fullmatch(text) and text.lower() not in known:
        raise MigrationError(
            f"{text!r} is no value for {unfilled.key}",
            code="db.E134",
            hint="write SQL: 0, 'draft' in quotes, CURRENT_TIMESTAMP, or an expression",
        )
    return text
