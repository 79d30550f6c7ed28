"""Validation: what was wrong with a request, told without any of what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, get_args

from fastapi.dependencies.utils import get_flat_params
from pydantic import TypeAdapter
from pydantic_core.core_schema import ErrorType

from .problems import FieldError

__all__ = ["MADE_UP", "MOST_ERRORS", "Sent", "declared_names", "field_errors"]

MADE_UP: Final = "*"
"""What stands in a location for a name that the client made up."""
MOST_ERRORS: Final = 100
"""How many errors one answer has: a long list can have as many as it has items."""

SHORTEST_PIECE: Final = 3
"""How many letters of a longer word count as a piece of it: fewer are in nearly every text."""

_KNOWN: Final[frozenset[str]] = frozenset(get_args(ErrorType))
# Those of pydantic's own messages that hold a piece of the input, or what somebody's code says.
_REPLACED: Final = {
    "bytes_invalid_encoding": "Data is not in the expected encoding",
    "get_attribute_error": "Error extracting attribute",
    "iteration_error": "Error iterating over object",
    "json_invalid": "Invalid JSON",
    "mapping_type": "Input should be a valid mapping",
    "no_such_attribute": "Object has no such attribute",
    "timezone_offset": "Input has another timezone offset than the expected one",
    "union_tag_invalid": "Input has a tag that is not among the expected ones",
    "uuid_parsing": "Input should be a valid UUID",
}
_RAISED: Final = {"value_error": "Value error", "assertion_error": "Assertion failed"}
_UNKNOWN: Final = "Input is not valid"
_WORD: Final = re.compile(r"\w+")
# What pydantic calls the branches of a union and the parts of a mapping.
_PARTS: Final = frozenset(
    {
        *("[key]", "bool", "bytes", "date", "datetime", "decimal", "dict", "enum", "float"),
        *("frozenset", "int", "list", "none", "set", "str", "time", "timedelta", "tuple"),
        *("url", "uuid"),
    }
)


class Sent:
    """What a client has sent, to see whether a message repeats some of it.

    Args:
        parts: By the word with which the location of an error begins: `body`, `query`.
        declared: The names that are the application's own, wherever they stand.
    """

    def __init__(self, parts: Mapping[str, object], declared: frozenset[str]) -> None:
        self._parts = parts
        self._declared = declared
        self._words: dict[str, tuple[str, frozenset[str]]] = {}

    def shares_a_word(self, message: str, part: str) -> bool:
        """Return whether a word of a message stands, or is a piece of one, in a part."""
        if part not in self._words:  # once: the part may be long, and its errors many
            text = " ".join(_texts(self._parts.get(part), self._declared)).casefold()
            self._words[part] = text, frozenset(_WORD.findall(text))
        text, words = self._words[part]
        return any(
            word in words or (len(word) >= SHORTEST_PIECE and word in text)
            for word in _WORD.findall(message.casefold())
        )


def _texts(value: object, declared: frozenset[str]) -> Iterator[str]:
    """Yield the texts and numbers in a value, and the names in it that were made up."""
    waiting = [value]  # no recursion: JSON is as deep as its sender likes
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            waiting.extend(each.values())
            yield from (key for key in each if isinstance(key, str) and key not in declared)
        elif isinstance(each, list | tuple):
            waiting.extend(each)
        else:
            yield str(each)


def field_errors(
    errors: Iterable[Any], declared: frozenset[str], sent: Sent
) -> Iterator[FieldError]:
    """Yield what is wrong with each part of a request.

    Args:
        errors: As FastAPI's validation error has them.
        declared: The names that the application itself gave to what it expects.
        sent: What the client has sent.
    """
    for error in islice(errors, MOST_ERRORS):
        facts: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
        kind = str(facts.get("type", "invalid"))
        yield FieldError(
            location=tuple(_location(facts.get("loc", ()), kind, declared)),
            message=_message(kind, facts, sent),
            type=kind,
        )


def declared_names(route: Any) -> frozenset[str]:
    """Return the names of parameters and fields that a route declares, at any depth."""
    dependant, body = getattr(route, "dependant", None), getattr(route, "body_field", None)
    fields = [*(get_flat_params(dependant) if dependant else ()), *((body,) if body else ())]
    names: set[str] = set()
    for field in fields:
        names.add(field.alias)
        try:
            annotation: Any = field.field_info.annotation
            schema = TypeAdapter(annotation).json_schema(mode="validation")
        except Exception:  # a type without a schema: its names are taken for the client's
            continue
        names.update(_names_of(schema))
    return frozenset(names)


def _names_of(schema: object) -> Iterator[str]:
    """Yield the names in a JSON schema: of properties, of models, of the tags of unions."""
    if isinstance(schema, Mapping):
        for keyword, value in schema.items():
            if keyword in ("properties", "$defs", "mapping") and isinstance(value, Mapping):
                yield from value
            elif keyword in ("const", "enum"):
                tags = value if isinstance(value, list) else [value]
                yield from (tag for tag in tags if isinstance(tag, str))
            yield from _names_of(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from _names_of(each)


def _location(location: Iterable[Any], kind: str, declared: frozenset[str]) -> Iterator[str | int]:
    parts = list(location)
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if isinstance(part, int) or index == 0:
            yield part
        elif kind == "extra_forbidden" and last:
            yield MADE_UP
        else:
            yield part if part in declared or part in _PARTS else MADE_UP


def _message(kind: str, facts: Mapping[str, Any], sent: Sent) -> str:
    if kind in _REPLACED:
        return _REPLACED[kind]
    message = str(facts.get("msg", _UNKNOWN))
    if kind in _KNOWN and kind not in _RAISED:
        return message
    context: Mapping[str, Any] = facts.get("ctx") or {}
    raised = context.get("error")
    if isinstance(raised, Exception):
        said = str(raised)
        if _stands_in_source(said, raised):
            return message
    else:
        said = message = _without_fillings(message, context)
    part = str(next(iter(facts.get("loc", ())), ""))
    repeats = not said or sent.shares_a_word(said, part)
    return _RAISED.get(kind, _UNKNOWN) if repeats else message


def _without_fillings(message: str, context: Mapping[str, Any]) -> str:
    """Return a message up to the first text that its template was filled with."""
    for value in context.values():
        if isinstance(value, str) and value:
            filling = rf"(?<!\w){re.escape(value)}(?!\w)"
            message = re.split(filling, message, maxsplit=1)[0].rstrip(" :,;'\"(")
    return message


def _stands_in_source(message: str, error: Exception) -> bool:
    """Return whether the code that raised an error has its message as it is."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and message in traceback.tb_frame.f_code.co_consts
