"""Enums: the types that PostgreSQL keeps apart from tables, made and extended by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, text

from ..internals import note_enum_types
from .items import table_key
from .named_types import AnyEnum, native_enum, quoted_type
from .raw import RawStatements, on_postgresql_only
from .shapes import TableShape

if TYPE_CHECKING:
    from .rendering import Renderer

__all__ = [
    "creation_of",
    "enum_types",
    "new_values",
    "remember_types",
    "removal_of",
    "same_enums",
    "type_key",
    "types_added",
    "values_added",
    "values_kept",
]

_TYPES: Final = text("""
    SELECT n.nspname AS schema, t.typname AS name, pg_type_is_visible(t.oid) AS visible
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE t.typtype = 'e'
""")


def type_key(enum: AnyEnum) -> str:
    """Return the name by which an enum type is known: with its schema when it has one."""
    return table_key(str(enum.name), enum.schema)


def enum_types(shapes: Iterable[TableShape]) -> dict[str, AnyEnum]:
    """Return the enum types that tables use, by key."""
    found = (native_enum(column.type) for shape in shapes for column in shape.columns.values())
    return {type_key(enum): enum for enum in found if enum is not None}


def same_enums(old: TableShape, new: TableShape) -> Iterator[tuple[str, AnyEnum, AnyEnum]]:
    """Yield the columns whose enum type stays, with its former and its new form."""
    for name, column in new.columns.items():
        enum = native_enum(column.type)
        before = native_enum(old.columns[name].type) if name in old.columns else None
        if enum is not None and before is not None and type_key(enum) == type_key(before):
            yield name, before, enum


def types_added(old: TableShape, new: TableShape, renderer: Renderer) -> Iterator[RawStatements]:
    """Yield what makes the enum types of new columns: ADD COLUMN, unlike CREATE TABLE, does not."""
    kept = {name for name, _, _ in same_enums(old, new)}
    for name, column in new.columns.items():
        enum = native_enum(column.type)
        if enum is not None and name not in kept:
            yield creation_of(enum, renderer)


def values_added(old: TableShape, new: TableShape) -> Iterator[RawStatements]:
    """Yield what gives an enum type its new values, each where the model has it."""
    for _, before, after in same_enums(old, new):
        for position, value in enumerate(after.enums):
            if value not in before.enums:
                later = (item for item in after.enums[position:] if item in before.enums)
                yield _value_added(after, value, next(later, None))


def values_kept(old: TableShape, new: TableShape) -> Iterator[RawStatements]:
    """Yield the remarks for the way back, on which the new values stay."""
    for _, before, after in same_enums(old, new):
        names = ", ".join(repr(value) for value in new_values(before, after))
        if names:
            yield RawStatements(f"# The type {after.name} keeps {names}: no value can be dropped.")


def new_values(before: AnyEnum, after: AnyEnum) -> list[str]:
    """Return the values that an enum type gains."""
    return [value for value in after.enums if value not in before.enums]


def creation_of(enum: AnyEnum, renderer: Renderer) -> RawStatements:
    """Return the statement that makes an enum type where it is not there yet."""
    return RawStatements(f"{renderer.type(enum)}.create(op.get_bind(), checkfirst=True)")


def removal_of(enum: AnyEnum, renderer: Renderer) -> RawStatements:
    """Return the statement that drops an enum type; dropping a table does not."""
    return RawStatements(f"{renderer.type(enum)}.drop(op.get_bind(), checkfirst=True)")


def remember_types(connection: Connection, memo: dict[Any, Any]) -> None:
    """Tell alembic which enum types PostgreSQL has, so that CREATE TABLE leaves them alone.

    Two tables may share a type, and only the first can make it.
    """
    rows = connection.execute(_TYPES).all()
    here = {(None, row.name) for row in rows if row.visible}
    note_enum_types(memo, {(row.schema, row.name) for row in rows} | here)


def _value_added(enum: AnyEnum, value: str, before: str | None) -> RawStatements:
    place = f" BEFORE {_literal(before)}" if before is not None else ""
    sql = f"ALTER TYPE {quoted_type(enum)} ADD VALUE IF NOT EXISTS {_literal(value)}{place}"
    return on_postgresql_only(sql)


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
