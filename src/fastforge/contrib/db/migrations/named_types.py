"""Named types: what PostgreSQL makes of a column's type, beneath decorators, variants, arrays."""

from __future__ import annotations

from typing import Any, TypeAlias

from sqlalchemy import ARRAY, Dialect, Enum, TypeDecorator
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.types import TypeEngine

from ..internals import variants_of
from .rendering import postgresql_dialect

__all__ = ["AnyEnum", "native_enum", "on_postgresql", "quoted", "quoted_type"]

AnyEnum: TypeAlias = Enum | ENUM


def on_postgresql(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type that PostgreSQL is given for a column's type."""
    variant = variants_of(type_).get("postgresql")
    if variant is not None:
        return on_postgresql(variant)
    if isinstance(type_, TypeDecorator):
        return on_postgresql(type_.load_dialect_impl(postgresql_dialect()))
    return type_


def native_enum(type_: TypeEngine[Any]) -> AnyEnum | None:
    """Return the enum type that PostgreSQL has to have for a column, also for one of arrays.

    None where the user makes the type: `ENUM(..., create_type=False)`.
    """
    found = on_postgresql(type_)
    if isinstance(found, ARRAY):
        return native_enum(found.item_type)
    if not isinstance(found, (Enum, ENUM)) or not found.name:
        return None
    wanted = getattr(found, "native_enum", True) and getattr(found, "create_type", True)
    return found if wanted else None


def quoted(name: str) -> str:
    """Return a name as SQL, in quotes if one of the databases needs them."""
    dialects: tuple[Dialect, ...] = (postgresql_dialect(), sqlite.dialect())
    forms = [str(dialect.identifier_preparer.quote(name)) for dialect in dialects]
    return max(forms, key=len)


def quoted_type(enum: AnyEnum) -> str:
    """Return the name of an enum type as SQL, with its schema."""
    name = quoted(str(enum.name))
    return f"{quoted(enum.schema)}.{name}" if enum.schema else name
