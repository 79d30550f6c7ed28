"""Cursor: the place of a row in an order, as a text for URLs that fits this order alone.

The text is base64url of a version, a digest of the order and of the place, and the place as JSON.
The digest refuses what was changed on its way and what another list has given out; it keeps no
secret. Whoever decodes a cursor reads the values by which the list is sorted.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from hashlib import blake2s
from typing import Any, Final
from uuid import UUID

from .errors import InvalidCursor, PaginationError

__all__ = ["LONGEST_CURSOR", "cursor_of", "invalid_cursor", "values_of"]

VERSION: Final = b"\x01"
DIGEST_BYTES: Final = 8
LONGEST_CURSOR: Final = 4096
"""In characters: what a URL carries through every proxy."""

# The first that fits: a datetime is a date, and an enum may be a str.
_WRITERS: Final[tuple[tuple[type, str, Callable[[Any], str]], ...]] = (
    (Enum, "e", lambda value: str(value.name)),
    (float, "f", repr),
    (Decimal, "n", str),
    (datetime, "t", lambda value: str(value.isoformat())),
    (date, "d", lambda value: str(value.isoformat())),
    (time, "c", lambda value: str(value.isoformat())),
    (UUID, "u", str),
    (bytes, "b", lambda value: str(value.hex())),
)
_PLAIN: Final = (str, int, type(None))  # a bool is an int


class EnumName(str):
    """The name of an enum's member, before it is known which enum."""

    __slots__ = ()


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "e": EnumName,
    "f": float,
    "n": Decimal,
    "t": lambda text: _in_utc(datetime.fromisoformat(text)),
    "d": date.fromisoformat,
    "c": time.fromisoformat,
    "u": UUID,
    "b": bytes.fromhex,
}


def cursor_of(values: Sequence[object], order: bytes) -> str:
    """Return the cursor of a place.

    Args:
        values: The place: the row's value of each column of the order.
        order: What tells the order from others, 32 bytes at most.

    Raises:
        PaginationError: A value is of a type that no cursor can hold, or too long.
    """
    place = json.dumps([_written(value) for value in values], separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(VERSION + _digest(place, order) + place)
    cursor = text.rstrip(b"=").decode()
    if len(cursor) > LONGEST_CURSOR:
        raise PaginationError(
            f"a row's place in the order takes {len(cursor)} characters, more than the"
            f" {LONGEST_CURSOR} of a cursor",
            code="db.E064",
            hint="order by shorter columns",
        )
    return cursor


def values_of(cursor: str, order: bytes) -> tuple[object, ...]:
    """Return the place that a cursor holds.

    Raises:
        InvalidCursor: It is none, of another version, of another order, or was changed.
    """
    try:
        text = cursor.encode("ascii")
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)
        digest, place = raw[1 : 1 + DIGEST_BYTES], raw[1 + DIGEST_BYTES :]
        is_ours = base64.urlsafe_b64encode(raw).rstrip(b"=") == text  # there are many spellings
        if raw[:1] == VERSION and is_ours and digest == _digest(place, order):
            return tuple(map(_read, _list(json.loads(place))))
    except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError, binascii.Error):
        pass
    raise invalid_cursor()


def invalid_cursor() -> InvalidCursor:
    """Return the one answer to every cursor that is none; it repeats nothing of it."""
    return InvalidCursor(
        "the cursor is not one of this list",
        code="db.E060",
        hint="begin again without one",
    )


def _digest(place: bytes, order: bytes) -> bytes:
    return blake2s(VERSION + place, key=order, digest_size=DIGEST_BYTES).digest()


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value


def _written(value: object) -> object:
    for type_, tag, write in _WRITERS:
        if isinstance(value, type_):
            return [tag, write(value)]
    if isinstance(value, _PLAIN):
        return value
    raise PaginationError(
        f"the rows are ordered by a value of the type {type(value).__name__},"
        " which no cursor can hold",
        code="db.E064",
        hint="order by numbers, texts, times, UUIDs or enums, or give the list in offset pages",
    )


def _read(value: Any) -> object:
    if isinstance(value, list):
        tag, text = value
        return _READERS[tag](text)
    if isinstance(value, _PLAIN):
        return value
    raise TypeError(value)


def _in_utc(value: datetime) -> datetime:
    """Return a moment in UTC, where every database can hold it."""
    return value if value.tzinfo is None else value.astimezone(UTC)
