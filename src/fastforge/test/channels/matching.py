"""Matching: whether a message is the one that a test means."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel

from ...channels.messages import type_of_model

__all__ = ["data_of", "is_meant", "matches", "model_of"]


def data_of(message: BaseModel) -> dict[str, Any]:
    """Return what a client is given of a message."""
    data: dict[str, Any] = orjson.loads(
        message.__pydantic_serializer__.to_json(message, by_alias=True)
    )
    return data


def model_of(expected: type[BaseModel] | BaseModel) -> type[BaseModel]:
    """Return the class of what is expected."""
    return expected if isinstance(expected, type) else type(expected)


def matches(message: BaseModel, expected: type[BaseModel] | BaseModel) -> bool:
    """Return whether a message is of a class, or says the same as another one."""
    if isinstance(expected, type):
        return isinstance(message, expected)
    return type(message) is type(expected) and data_of(message) == data_of(expected)


def is_meant(data: Any, expected: type[BaseModel] | BaseModel) -> bool:
    """Return whether what a client was given is a message of a class, or a certain one."""
    if isinstance(expected, type):
        return isinstance(data, dict) and data.get("type") == type_of_model(expected, "a test")
    return bool(data == data_of(expected))
