"""Dialect: what kind of database a session talks to, and which values it can hold at all."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import BigInteger, Dialect, Integer, SmallInteger, TypeDecorator
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

if TYPE_CHECKING:
    from .sessions.guarded import GuardedSession

__all__ = ["can_hold", "dialect_of", "plain_type"]

SQLITE: Final = "sqlite"
LARGEST_EXPONENT: Final = 1000
"""Of a Decimal: far below what PostgreSQL takes, far above what anybody stores."""


def dialect_of(session: AsyncSession) -> Dialect:
    """Return the dialect of a session's database."""
    guarded = cast("GuardedSession", session.sync_session)
    return guarded.engines.engine.dialect


def plain_type(type_: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Return the type below what somebody has put around it in Python."""
    return type_.type_engine(dialect) if isinstance(type_, TypeDecorator) else type_


def can_hold(type_: TypeEngine[Any], value: object, dialect: Dialect) -> bool:
    """Return whether a column of a type could hold a value; drivers fail of one that it cannot.

    It knows what clients can send where a parameter is an `int`, a `str` or a `Decimal`: numbers
    without end, and characters that no database stores.
    """
    if isinstance(value, int):
        return -(1 << (bits := _bits(type_, dialect) - 1)) <= value < 1 << bits
    if isinstance(value, str):
        return _is_unicode(value) and (dialect.name == SQLITE or "\0" not in value)
    if isinstance(value, Decimal):
        return not value.is_finite() or abs(value.adjusted()) <= LARGEST_EXPONENT
    return True


def _bits(type_: TypeEngine[Any], dialect: Dialect) -> int:
    plain = plain_type(type_, dialect)
    if dialect.name == SQLITE or isinstance(plain, BigInteger):
        return 64
    if isinstance(plain, SmallInteger):
        return 16
    return 32 if isinstance(plain, Integer) else 64


def _is_unicode(text: str) -> bool:
    """Return whether a text is one: half of a surrogate pair is not, and JSON can bring it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
