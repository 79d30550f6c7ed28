"""Enums: the types that PostgreSQL keeps apart from tables, made and extended by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from alembic.operations import ops
from sqlalchemy import Connection, Enum, text

from ..internals import note_enum_types
from .shapes import TableShape

if TYPE_CHECKING:
    from .rendering import Renderer

__all__ = [
    "RawStatements",
    "creation_of",
    "enum_types",
    "native_enum",
    "native_enum_steps",
    "remember_types",
    "removal_of",
    "removed_values",
]

_TYPES: Final = text("""
    SELECT n.nspname AS schema, t.typname AS name, pg_type_is_visible(t.oid) AS visible
    FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE t.typtype = 'e'
""")


class RawStatements(ops.MigrateOperation):
    """Lines of source that stand in a migration as they are."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines


def native_enum(type_: object) -> Enum | None:
    """Return the type if PostgreSQL makes an enum type of it."""
    return type_ if isinstance(type_, Enum) and type_.native_enum and type_.name else None


def native_enum_steps(
    old: TableShape, new: TableShape, renderer: Renderer
) -> tuple[RawStatements, ...]:
    """Return what new columns of an enum type and new values need before the table changes.

    PostgreSQL makes an enum type with CREATE TABLE but not with ADD COLUMN, and a new value of
    one is no change of any table.
    """
    steps: list[RawStatements] = []
    for name, column in new.columns.items():
        enum = native_enum(column.type)
        if enum is None:
            continue
        before = native_enum(old.columns[name].type) if name in old.columns else None
        if before is None or before.name != enum.name:
            steps.append(creation_of(enum, renderer))
        else:
            added = [value for value in enum.enums if value not in before.enums]
            steps.extend(_value_added(str(enum.name), value) for value in added)
    return tuple(steps)


def enum_types(shapes: Iterable[TableShape]) -> dict[str, Enum]:
    """Return the enum types that tables use, by name."""
    found = (native_enum(column.type) for shape in shapes for column in shape.columns.values())
    return {str(enum.name): enum for enum in found if enum is not None}


def creation_of(enum: Enum, renderer: Renderer) -> RawStatements:
    """Return the statement that makes an enum type where it is not there yet."""
    return RawStatements(f"{renderer.type(enum)}.create(op.get_bind(), checkfirst=True)")


def removal_of(enum: Enum, renderer: Renderer) -> RawStatements:
    """Return the statement that drops an enum type; dropping a table does not."""
    return RawStatements(f"{renderer.type(enum)}.drop(op.get_bind(), checkfirst=True)")


def remember_types(connection: Connection, memo: dict[Any, Any]) -> None:
    """Tell alembic which enum types PostgreSQL has, so that CREATE TABLE leaves them alone.

    Two tables may share a type, and only the first can make it.
    """
    rows = connection.execute(_TYPES).all()
    here = {(None, row.name) for row in rows if row.visible}
    note_enum_types(memo, {(row.schema, row.name) for row in rows} | here)


def removed_values(old: TableShape, new: TableShape) -> dict[str, list[str]]:
    """Return the values that enum columns lose, by column; PostgreSQL cannot drop one."""
    found: dict[str, list[str]] = {}
    for name, column in new.columns.items():
        enum = native_enum(column.type)
        before = native_enum(old.columns[name].type) if name in old.columns else None
        if enum is not None and before is not None and enum.name == before.name:
            found[name] = [value for value in before.enums if value not in enum.enums]
    return {name: values for name, values in found.items() if values}


def _value_added(type_name: str, value: str) -> RawStatements:
    literal = "'" + value.replace("'", "''") + "'"
    sql = f"ALTER TYPE {type_name} ADD VALUE IF NOT EXISTS {literal}"
    return RawStatements(
        'if op.get_context().dialect.name == "postgresql":', f"    op.execute({sql!r})"
    )
