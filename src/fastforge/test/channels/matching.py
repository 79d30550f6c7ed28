"""Matching: whether a message is the one that a test means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel

from ...channels.declaring.messages import type_of_model

__all__ = ["data_of", "is_meant", "matches", "model_of", "read_as"]

M = TypeVar("M", bound=BaseModel)


def data_of(message: BaseModel) -> dict[str, Any]:
    """Return what a client is given of a message."""
    data: dict[str, Any] = orjson.loads(
        message.__pydantic_serializer__.to_json(message, by_alias=True)
    )
    return data


def read_as(model: type[M], data: Mapping[str, Any]) -> M:
    """Return what a client is given as the message that it was: the way back from `data_of`.

    Models are made to be published: what their fields are called in JSON they need not know to
    read, and what is worked out from others they do not take.

    Raises:
        ValidationError: It is not as the model says.
    """
    names = {info.serialization_alias: name for name, info in model.model_fields.items()}
    computed = {info.alias or name for name, info in model.model_computed_fields.items()}
    given = {names.get(key, key): value for key, value in data.items() if key not in computed}
    return model.model_validate_json(orjson.dumps(given), by_alias=True, by_name=True)


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
