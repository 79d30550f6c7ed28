"""Values: any value as JSON that may be written down, without its secrets.

Nothing here calls what a user has written: no `repr`, no `str` of an object, no property. What an
object would say of itself is not known to be quick, to succeed, or to keep a secret.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from .names import MASK, is_hidden
from .texts import redacted_text

__all__ = ["redacted"]

DEEPEST: Final = 8
MOST_ITEMS: Final = 100
"""Of one container."""
MOST_VALUES: Final = 1_000
"""Of all containers together."""
LONGEST_TEXT: Final = 8 * 1024
LONGEST_NUMBER_BITS: Final = 1024
"""Python refuses to write integers of more than some thousand digits."""
CUT: Final = "..."

_PLAIN: Final = (datetime, date, time, timedelta, Decimal, UUID, PurePath)
"""Types whose text says all of them; a subclass of a user's is written by its name."""


def redacted(value: object) -> Any:
    """Return a value as JSON that may be written down: without secrets, and of bounded size.

    Secrets are found by the names that values stand under, at any depth of mappings, sequences,
    dataclasses and pydantic models, and in texts by their form. It never raises.

    Surprises: an object that is none of these is written as its type alone, since its `repr` may
    tell anything; bytes become text; what is deeper than 8, more than 100 items or longer than
    8 KiB is cut.

    ```python
    order = {"id": 7, "card": {"cvv": "123"}, "headers": [("Authorization", "Bearer x")]}
    assert redacted(order) == {
        "id": 7,
        "card": {"cvv": "***"},
        "headers": [["Authorization", "***"]],
    }
    ```

    Args:
        value: Anything.
    """
    if value is None or value is True or value is False:
        return value
    return _Redactor().shown(value, 0)


class _Redactor:
    """One call of `redacted`: how many values it may still look at."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_VALUES

    def shown(self, value: object, depth: int) -> Any:
        kind = type(value)
        if kind is str:
            return _text(value)  # type: ignore[arg-type]
        if value is None or kind is bool or kind is float:
            return value
        try:
            return self._other(value, depth)
        except Exception:  # anybody's object; a log line is not what fails of it
            return _name_of(kind)

    def _other(self, value: Any, depth: int) -> Any:
        if isinstance(value, Enum):
            return self.shown(object.__getattribute__(value, "_value_"), depth)
        if isinstance(value, int):
            return _number(value)
        if isinstance(value, float):
            return float.__float__(value)
        if isinstance(value, str):
            return _text(str.__str__(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return _text(bytes(value[: LONGEST_TEXT * 2]).decode("utf-8", "backslashreplace"))
        if type(value) in _PLAIN or isinstance(value, PurePath):
            return _text(str(value))
        if isinstance(value, BaseException):
            return _text(f"{type(value).__name__}: {value}")
        return self._container(value, depth)

    def _container(self, value: Any, depth: int) -> Any:
        if isinstance(value, _pydantics("Secret", "SecretStr", "SecretBytes")):
            return MASK
        members = _members(value)
        items = None if members is not None else _items(value)
        if members is None and items is None:
            return _name_of(value if isinstance(value, type) else type(value))
        if depth >= DEEPEST or self.left <= 0:
            return CUT
        if members is not None:
            return dict(self._named(members, depth))
        return self._listed(items or (), depth)

    def _named(self, members: Iterable[tuple[Any, Any]], depth: int) -> Iterator[tuple[str, Any]]:
        for number, (key, value) in enumerate(members):
            if number >= MOST_ITEMS or self.left <= 0:
                yield CUT, CUT
                return
            self.left -= 1
            name = _text(key) if type(key) is str else str(self.shown(key, DEEPEST))
            yield name, MASK if is_hidden(name, value) else self.shown(value, depth + 1)

    def _listed(self, items: Iterable[Any], depth: int) -> list[Any]:
        taken = list(islice(items, MOST_ITEMS + 1))
        if len(taken) == 2 and _names_a_secret(*taken):
            return [self.shown(taken[0], depth + 1), MASK]
        shown: list[Any] = []
        for item in taken:
            if len(shown) >= MOST_ITEMS or self.left <= 0:
                return [*shown, CUT]
            self.left -= 1
            shown.append(self.shown(item, depth + 1))
        return shown


def _text(text: str) -> str:
    shown = redacted_text(text)
    if len(shown) <= LONGEST_TEXT:
        return shown
    return f"{shown[:LONGEST_TEXT]}{CUT} ({len(shown) - LONGEST_TEXT} more characters)"


def _number(value: int) -> int | str:
    return int(value) if value.bit_length() <= LONGEST_NUMBER_BITS else hex(value)[:64] + CUT


def _names_a_secret(name: object, value: object) -> bool:
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    return isinstance(name, str) and is_hidden(name, value)


def _members(value: Any) -> Iterable[tuple[Any, Any]] | None:
    """Return the names and values of what has names, without asking it."""
    if isinstance(value, dict):
        return dict.items(value)
    if isinstance(value, MappingProxyType) or _is_starlettes(value):
        return value.items()  # type: ignore[no-any-return]
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        return _fields(value, ((each.name, each.repr) for each in dataclasses.fields(value)))
    if isinstance(value, _pydantics("BaseModel")):
        declared = getattr(type(value), "__pydantic_fields__", {})
        extra = object.__getattribute__(value, "__pydantic_extra__") or {}
        shown = ((name, field.repr) for name, field in declared.items())
        return [*_fields(value, shown), *extra.items()]
    return None


def _fields(value: object, fields: Iterable[tuple[str, bool]]) -> list[tuple[str, Any]]:
    """Return the fields of an object; those that its `repr` leaves out are masked."""
    return [
        (name, object.__getattribute__(value, name) if is_shown else MASK)
        for name, is_shown in fields
    ]


def _pydantics(*names: str) -> tuple[type, ...]:
    """Return classes of pydantic's, if somebody has imported it."""
    pydantic = sys.modules.get("pydantic")
    return () if pydantic is None else tuple(getattr(pydantic, name) for name in names)


def _is_starlettes(value: object) -> bool:
    """Return whether it is a mapping of headers, cookies, a query or a form."""
    known = type(value).__module__.partition(".")[0] in ("starlette", "httpx", "multidict")
    return known and isinstance(value, Mapping)


def _items(value: object) -> Iterable[Any] | None:
    if isinstance(value, list | tuple | set | frozenset | deque):
        return value
    return None


def _name_of(kind: type) -> str:
    return f"<{kind.__module__}.{kind.__qualname__}>"
