"""Results: what a task returns, as JSON, by the annotation of its return value."""

from __future__ import annotations

import functools
import json
import typing
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from .adapters import adapter_of

__all__ = ["dump_result", "load_result", "result_adapter"]


@functools.lru_cache(maxsize=4096)
def result_adapter(function: Callable[..., Any]) -> TypeAdapter[Any]:
    """Return what writes and reads the result of a task, worked out once for each function.

    Raises:
        PydanticUserError: Its return annotation is no type that pydantic knows.
    """
    hint = typing.get_type_hints(function, include_extras=True).get("return", Any)
    return adapter_of(hint)


def dump_result(function: Callable[..., Any], value: Any) -> Any:
    """Return a task's result as JSON values.

    Raises:
        Exception: It cannot be written, or is not what the annotation says.
    """
    dumped = result_adapter(function).dump_python(
        value, mode="json", by_alias=True, round_trip=True, warnings="error"
    )
    # NaN and lone surrogates are Python's own: neither is JSON.
    json.dumps(dumped, allow_nan=False, ensure_ascii=False).encode()
    return dumped


def load_result(function: Callable[..., Any], stored: Any) -> Any:
    """Return a task's result from the JSON values that `dump_result` gave.

    Raises:
        ValidationError: It does not fit the annotation (any more).
    """
    return result_adapter(function).validate_json(json.dumps(stored))
