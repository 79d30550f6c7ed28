"""SQLite casts: what CAST would destroy without a word there, converted or refused.

SQLite keeps moments, days and UUIDs as text and has no booleans. Its CAST makes the year 2026 of
the day 2026-01-02, and 0 of `abc`, where PostgreSQL converts or fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    BLOB,
    INTEGER,
    NUMERIC,
    TEXT,
    Column,
    ColumnElement,
    Connection,
    Enum,
    and_,
    case,
    cast,
    func,
    not_,
    select,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from .casting import family
from .errors import MigrationFailed

__all__ = ["carry"]

Sql: TypeAlias = ColumnElement[Any]

_TRUE: Final = ("t", "true", "y", "yes", "on", "1")
_FALSE: Final = ("f", "false", "n", "no", "off", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conversion:
    """How values become values of another type.

    Args:
        value: The new value, in SQL.
        fits: Whether a value can be converted, in SQL; None where all can.
    """

    value: Sql
    fits: Sql | None = None


def carry(
    existing: Column[Any],
    transfer: dict[str, Any],
    new_type: TypeEngine[Any],
    connection: Connection | None,
) -> None:
    """Set how a table that is made anew takes over a column of another type.

    Args:
        existing: The column as it was.
        transfer: Alembic's note of it; `expr` is what the new table gets.
        new_type: The new type.
        connection: Looks for values that do not fit; None where SQL is only written.

    Raises:
        MigrationFailed: A row has a value that cannot be converted.
    """
    source: Sql = transfer["expr"]
    text: Sql = type_coerce(source, TEXT())
    conversion = _conversion(text, family(existing.type), new_type)
    if conversion is None:
        return
    if connection is not None and conversion.fits is not None:
        misfits = and_(source.is_not(None), not_(func.coalesce(conversion.fits, False)))
        query = select(func.count(), func.min(text)).where(misfits)
        count, example = connection.execute(query).one()
        if count:
            raise MigrationFailed(
                f"{count} values of {existing.name} cannot become {family(new_type)},"
                f" for example {example!r}",
                code="db.E136",
                hint="change these values before, in a migration or by hand",
            )
    transfer["expr"] = conversion.value


def _conversion(text: Sql, before: str, new_type: TypeEngine[Any]) -> _Conversion | None:
    after = family(new_type)
    if before == "text" and isinstance(new_type, Enum):
        return _Conversion(value=text, fits=text.in_(new_type.enums))
    convert = _CONVERSIONS.get((before, after))
    if convert is not None:
        return convert(text)
    if before != after and after == "text":
        return _Conversion(value=cast(text, TEXT()))
    return _Conversion(value=text)


def _to_integer(text: Sql) -> _Conversion:
    digits = func.ltrim(func.trim(text), "+-")
    fits = and_(digits != "", not_(digits.op("GLOB")("*[^0-9]*")))
    return _Conversion(value=cast(text, INTEGER()), fits=fits)


def _to_number(text: Sql) -> _Conversion:
    number = func.trim(text)
    fits = and_(number.op("GLOB")("*[0-9]*"), not_(number.op("GLOB")("*[^0-9.eE+-]*")))
    return _Conversion(value=cast(text, NUMERIC()), fits=fits)


def _to_boolean(text: Sql) -> _Conversion:
    word = func.lower(func.trim(text))
    value = case((word.in_(_TRUE), 1), (word.in_(_FALSE), 0))
    return _Conversion(value=value, fits=word.in_((*_TRUE, *_FALSE)))


def _to_date(text: Sql) -> _Conversion:
    return _Conversion(value=func.date(text), fits=func.date(text).is_not(None))


def _to_moment(text: Sql) -> _Conversion:
    plain = and_(func.length(text).in_((19, 26)), func.substr(text, 5, 1) == "-")
    value = case(
        (plain, func.replace(text, "T", " ")),
        else_=func.strftime("%Y-%m-%d %H:%M:%f", text).concat("000"),
    )
    return _Conversion(value=value, fits=func.datetime(text).is_not(None))


def _to_time(text: Sql) -> _Conversion:
    return _Conversion(value=text, fits=func.time(text).is_not(None))


def _to_uuid(text: Sql) -> _Conversion:
    digits = func.lower(func.replace(text, "-", ""))
    fits = and_(func.length(digits) == 32, not_(digits.op("GLOB")("*[^0-9a-f]*")))
    return _Conversion(value=digits, fits=fits)


def _from_boolean(text: Sql) -> _Conversion:
    return _Conversion(
        value=case((type_coerce(text, INTEGER()) == 0, "false"), (text.is_not(None), "true"))
    )


def _rounded(text: Sql) -> _Conversion:
    return _Conversion(value=cast(func.round(text), INTEGER()))


def _is_not_zero(text: Sql) -> _Conversion:
    number = type_coerce(text, INTEGER())
    return _Conversion(value=case((number == 0, 0), (number != 0, 1)))


_CONVERSIONS: Final[dict[tuple[str, str], Callable[[Sql], _Conversion]]] = {
    ("text", "integer"): _to_integer,
    ("text", "number"): _to_number,
    ("text", "boolean"): _to_boolean,
    ("text", "date"): _to_date,
    ("text", "datetime"): _to_moment,
    ("text", "time"): _to_time,
    ("text", "uuid"): _to_uuid,
    ("text", "json"): lambda text: _Conversion(value=text, fits=func.json_valid(text) == 1),
    ("text", "bytes"): lambda text: _Conversion(value=cast(text, BLOB())),
    ("boolean", "text"): _from_boolean,
    ("number", "integer"): _rounded,
    ("integer", "boolean"): _is_not_zero,
    ("date", "datetime"): lambda text: _Conversion(value=text.concat(" 00:00:00.000000")),
    ("datetime", "date"): lambda text: _Conversion(value=func.substr(text, 1, 10)),
    ("datetime", "time"): lambda text: _Conversion(value=func.substr(text, 12)),
}
