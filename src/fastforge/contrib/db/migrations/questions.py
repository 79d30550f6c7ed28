"""Questions: what looks like a rename is asked, because the wrong guess loses data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from alembic.operations import ops

from .items import table_key
from .named_types import quoted
from .raw import RawStatements, on_postgresql_only
from .rendering import Renderer
from .shapes import TableShape

__all__ = ["Ask", "Suspicion", "suspicions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Something that went while something alike came.

    Args:
        table: The table as the migrations know it.
        column: The column that went; None when the table itself did.
        new_name: The name of what came.
        new_key_name: The name of the new table's primary key.
        new_schema: The schema of the new table.
        one_of_several: Whether more went, or more came, than one: which became which?
    """

    table: TableShape
    column: str | None
    new_name: str
    new_key_name: str | None = None
    new_schema: str | None = None
    one_of_several: bool = False

    @property
    def moves(self) -> bool:
        """Whether a table of the same name came in another schema."""
        return self.column is None and self.table.schema != self.new_schema

    @property
    def new_key(self) -> str:
        """What came: a column's name, or a table's with its schema."""
        return self.new_name if self.column else table_key(self.new_name, self.new_schema)

    @property
    def what(self) -> str:
        """What went: `the column blog_post.title`."""
        return f"the column {self.table.key}.{self.column}" if self.column else self.thing

    @property
    def thing(self) -> str:
        """The table: `the table blog_post`."""
        return f"the table {self.table.key}"

    @property
    def question(self) -> str:
        """What to ask the user."""
        return f"Did you rename {self.what} to {self.new_key}?"

    @property
    def key_renamed(self) -> tuple[RawStatements, ...]:
        """What renames the primary key along: PostgreSQL would refuse its name to a new table."""
        return self._key_renamed(self.table.primary_key_name, self.new_key_name)

    @property
    def key_renamed_back(self) -> tuple[RawStatements, ...]:
        """The same, backwards."""
        return self._key_renamed(self.new_key_name, self.table.primary_key_name)

    def _key_renamed(self, old: str | None, new: str | None) -> tuple[RawStatements, ...]:
        if old is None or new is None or old == new:
            return ()
        schema = f"{quoted(self.table.schema)}." if self.table.schema else ""
        table = f"{schema}{quoted(self.new_name)}"
        sql = f"ALTER TABLE {table} RENAME CONSTRAINT {quoted(old)} TO {quoted(new)}"
        return (on_postgresql_only(sql),)

    @property
    def answer(self) -> ops.MigrateOperation:
        """The operation for the answer yes."""
        if self.column is None:
            return ops.RenameTableOp(self.table.name, self.new_name, schema=self.table.schema)
        return ops.AlterColumnOp(
            self.table.name,
            self.column,
            schema=self.table.schema,
            modify_name=self.new_name,
            existing_type=self.table.columns[self.column].type,
            existing_nullable=self.table.columns[self.column].nullable,
        )

    @property
    def reverse(self) -> ops.MigrateOperation:
        """The operation that takes the rename back."""
        if self.column is None:
            return ops.RenameTableOp(self.new_name, self.table.name, schema=self.table.schema)
        back = Suspicion(
            table=self.table.with_renamed_column(self.column, self.new_name),
            column=self.new_name,
            new_name=self.column,
        )
        return back.answer


Ask: TypeAlias = Callable[[Suspicion], bool | None]
"""Answers a suspicion; None means that there is nobody to answer."""


def suspicions(
    old: Mapping[str, TableShape], new: Mapping[str, TableShape], renderer: Renderer
) -> Iterator[Suspicion]:
    """Yield what may be a rename: first of tables, then of columns."""
    pairs = [
        (before, after)
        for before in old
        for after in new
        if before not in new and after not in old
        if _alike(old[before], new[after], renderer)
    ]
    for before, after in pairs:
        yield Suspicion(
            table=old[before],
            column=None,
            new_name=new[after].name,
            new_key_name=new[after].primary_key_name,
            new_schema=new[after].schema,
            one_of_several=_is_one_of_several((before, after), pairs),
        )
    for key in new:
        if key in old:
            yield from _column_suspicions(old[key], new[key], renderer)


def _alike(before: TableShape, after: TableShape, renderer: Renderer) -> bool:
    """Return whether two tables share at least half of their columns, name and type.

    An id alone is nothing in common. Of two in different schemas, only namesakes are alike.
    """
    if before.schema != after.schema and before.name != after.name:
        return False
    common = [
        name
        for name, column in after.columns.items()
        if name in before.columns and renderer.same_type(before.columns[name].type, column.type)
    ]
    is_half = 2 * len(common) >= max(len(before.columns), len(after.columns))
    return is_half and any(name != "id" for name in common)


def _column_suspicions(old: TableShape, new: TableShape, renderer: Renderer) -> Iterator[Suspicion]:
    pairs = [
        (before, after)
        for before in old.columns
        for after in new.columns
        if before not in new.columns and after not in old.columns
        if renderer.same_type(old.columns[before].type, new.columns[after].type)
    ]
    for before, after in pairs:
        several = _is_one_of_several((before, after), pairs)
        yield Suspicion(table=old, column=before, new_name=after, one_of_several=several)


def _is_one_of_several(pair: tuple[str, str], pairs: Sequence[tuple[str, str]]) -> bool:
    return any(each != pair and (each[0] == pair[0] or each[1] == pair[1]) for each in pairs)
