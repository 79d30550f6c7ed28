"""Casting: how the values that a column has become values of its new type."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from .named_types import native_enum, on_postgresql, quoted, quoted_type
from .rendering import postgresql_dialect

__all__ = ["cast_of", "family", "has_cast"]

_FAMILIES: Final[tuple[tuple[type[Any] | tuple[type[Any], ...], str], ...]] = (
    ((sa.Enum, postgresql.ENUM), "enum"),
    (sa.String, "text"),
    (sa.Boolean, "boolean"),
    (sa.Integer, "integer"),
    ((sa.Numeric, sa.Float), "number"),
    (sa.DateTime, "datetime"),
    (sa.Date, "date"),
    (sa.Time, "time"),
    ((sa.Interval, postgresql.INTERVAL), "interval"),
    (sa.Uuid, "uuid"),
    (sa.JSON, "json"),
    (sa.LargeBinary, "bytes"),
)

_CASTS: Final = frozenset(
    {
        ("boolean", "integer"), ("boolean", "number"), ("integer", "boolean"),
        ("integer", "number"), ("number", "integer"),
        ("date", "datetime"), ("datetime", "date"), ("datetime", "time"),
        ("time", "interval"), ("interval", "time"),
    }
)  # fmt: skip
"""Beside those from and to text, which every type has."""


def family(type_: TypeEngine[Any]) -> str:
    """Return the kind of values that a type has; for one of PostgreSQL's own, its class's name."""
    found = on_postgresql(type_)
    if isinstance(found, sa.Enum) and not found.native_enum:
        return "text"
    name = type(found).__name__
    return next((name for kinds, name in _FAMILIES if isinstance(found, kinds)), name)


def has_cast(old: TypeEngine[Any], new: TypeEngine[Any]) -> bool:
    """Return whether PostgreSQL can make values of one type into values of another."""
    before, after = family(old), family(new)
    return before == after or "text" in (before, after) or (before, after) in _CASTS


def cast_of(name: str, old: TypeEngine[Any], new: TypeEngine[Any]) -> str:
    """Return what follows USING; empty where PostgreSQL casts by itself.

    Args:
        name: The column's name.
        old: Its former type.
        new: Its new type.
    """
    column, before, after = quoted(name), family(old), family(new)
    target = on_postgresql(new).compile(dialect=postgresql_dialect())
    if "enum" in (before, after):
        return _enum_cast(column, old, new, target)
    if before == after == "datetime":
        zones = {bool(getattr(on_postgresql(type_), "timezone", False)) for type_ in (old, new)}
        return f"{column} AT TIME ZONE 'UTC'" if len(zones) == 2 else ""
    if before == after:
        return ""
    if after == "boolean" and before == "integer":
        return f"{column} <> 0"
    if before == "boolean" and after in ("integer", "number"):
        return f"{column}::INTEGER::{target}".replace("::INTEGER::INTEGER", "::INTEGER")
    return f"{column}::{target}"


def _enum_cast(column: str, old: TypeEngine[Any], new: TypeEngine[Any], target: str) -> str:
    before, after = native_enum(old), native_enum(new)
    if before is not None and after is not None and quoted_type(before) == quoted_type(after):
        return ""
    # A text becomes an enum only when it is told to; an enum becomes a text by itself.
    return f"{column}::text::{target}" if family(new) == "enum" else f"{column}::{target}"
