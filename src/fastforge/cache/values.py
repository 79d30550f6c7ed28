"""Values: JSON on the wire, checked against a type when it is read; never pickle.

An entry is the JSON of its value. One that has tags begins with `#`, the tags with the marks that
stood when it was made, and a newline: no JSON begins like this.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from .errors import CacheError

__all__ = ["Tagged", "Unreadable", "decoded", "encoded", "joined", "split"]

_MARK: Final = b"#"
_END: Final = b"\n"


class Unreadable(Exception):
    """What is kept does not fit the type that is asked for: an older release has written it."""


class Tagged(NamedTuple):
    """The parts of an entry."""

    tags: Sequence[tuple[str, str]]
    json: bytes


def encoded(value: object, type_: Any) -> bytes:
    """Return the JSON of a value.

    Raises:
        CacheError: It has none, or does not fit the type.
    """
    try:
        if type_ is Any:
            return to_json(value)
        adapter = _adapter(type_)
        json = adapter.dump_json(adapter.validate_python(value, from_attributes=True))
        adapter.validate_json(json)  # what cannot be read again would never be found
        return json
    except (PydanticSerializationError, ValidationError, ValueError, TypeError) as error:
        wanted = "JSON" if type_ is Any else getattr(type_, "__name__", str(type_))
        raise CacheError(
            f"a {type(value).__name__} cannot be cached as {wanted}: {_reason(error)}",
            code="cache.E003",
            hint="cache what can be written as JSON: a pydantic model made of it, with type=",
        ) from error


def decoded(json: bytes, type_: Any) -> Any:
    """Return the value that a JSON is of.

    Raises:
        Unreadable: It does not fit.
    """
    try:
        return from_json(json) if type_ is Any else _adapter(type_).validate_json(json)
    except ValueError as error:  # pydantic's are of this class
        raise Unreadable from error


def joined(json: bytes, tags: Sequence[tuple[str, str]]) -> bytes:
    """Return an entry."""
    return _MARK + to_json(tags) + _END + json if tags else json


def split(data: bytes) -> Tagged:
    """Return the parts of an entry.

    Raises:
        Unreadable: It is none.
    """
    if not data.startswith(_MARK):
        return Tagged((), data)
    head, _, json = data[len(_MARK) :].partition(_END)
    try:
        return Tagged([(str(tag), str(mark)) for tag, mark in from_json(head)], json)
    except (ValueError, TypeError) as error:
        raise Unreadable from error


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors(include_url=False, include_input=False)[0]
        return ": ".join((*map(str, fault["loc"]), str(fault["msg"])))
    return str(error).partition("\n")[0]


def _adapter(type_: Any) -> TypeAdapter[Any]:
    try:
        return _known_adapter(type_)
    except TypeError:  # a type that cannot be hashed
        return TypeAdapter(type_)


@lru_cache(maxsize=1024)
def _known_adapter(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_)
