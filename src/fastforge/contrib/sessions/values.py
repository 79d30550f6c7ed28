"""Values: what a session holds, as JSON has it, checked against a type when it is read."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from .errors import SessionError

__all__ = ["Unfitting", "dumped", "loaded", "size_of"]


class Unfitting(Exception):
    """What is kept does not fit the type that is asked for: an older release has written it."""


def dumped(key: str, value: object, type_: Any) -> Any:
    """Return a value as JSON has it.

    Raises:
        SessionError: It has none, or does not fit the type.
    """
    try:
        if type_ is Any:
            return from_json(to_json(value))
        adapter = _adapter(type_)
        return adapter.dump_python(adapter.validate_python(value), mode="json")
    except (PydanticSerializationError, ValidationError, ValueError, TypeError) as error:
        wanted = "JSON" if type_ is Any else getattr(type_, "__name__", str(type_))
        raise SessionError(
            f"a {type(value).__name__} cannot be kept in the session as {wanted}, under {key!r}",
            code="sessions.E011",
            hint="keep what can be written as JSON: texts, numbers, lists, a pydantic model",
        ) from error


def loaded(value: Any, type_: Any) -> Any:
    """Return what was kept.

    Raises:
        Unfitting: It does not fit.
    """
    if type_ is Any:
        return value
    try:
        # As JSON: there a date is a text, also where the type is strict.
        return _adapter(type_).validate_json(to_json(value))
    except ValueError as error:  # pydantic's are of this class
        raise Unfitting from error


def size_of(data: object) -> int:
    """Return how many bytes JSON has."""
    return len(to_json(data))


@lru_cache(maxsize=256)
def _adapter(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_)
