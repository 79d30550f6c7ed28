"""Adapters: what validates a value, writes it as JSON and reads it, by a type annotation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic_core import SchemaValidator

__all__ = ["NO_ZONE", "adapter_of", "zoned_reader"]

NO_ZONE: Final = "timezone_aware"
"""The type of the error by which pydantic refuses a moment without a time zone."""


def adapter_of(hint: Any) -> TypeAdapter[Any]:
    """Return the adapter of an annotation.

    Raises:
        PydanticUserError: It is no type that pydantic knows.
    """
    try:
        # Else NaN silently becomes null.
        return TypeAdapter(hint, config=ConfigDict(ser_json_inf_nan="constants"))
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return TypeAdapter(hint)  # a model has a configuration of its own


def zoned_reader(adapter: TypeAdapter[Any]) -> TypeAdapter[Any] | SchemaValidator:
    """Return what reads the JSON of an adapter, and refuses a moment that has no time zone.

    Deep inside of models, too. Where an annotation asks for one without, as `NaiveDatetime` does,
    it stands. An adapter without moments reads for itself.
    """
    schema, changed = _zoned(adapter.core_schema)
    if not changed:
        return adapter
    try:
        # Else a model is read by the validator that its class has.
        return SchemaValidator(schema, _use_prebuilt=False)
    except TypeError:  # pydantic-core's own argument, which may go as it came
        return SchemaValidator(schema)


def _zoned(schema: Any) -> tuple[Any, bool]:
    """Return a part of a schema with the demand for time zones, and whether it has one."""
    if isinstance(schema, Mapping):
        parts = {name: _zoned(part) for name, part in schema.items() if name != "metadata"}
        zoned = {**schema, **{name: part for name, (part, _) in parts.items()}}
        plain = schema.get("type") == "datetime" and "tz_constraint" not in schema
        if plain:
            zoned["tz_constraint"] = "aware"
        return zoned, plain or any(changed for _, changed in parts.values())
    if isinstance(schema, list | tuple):
        found = [_zoned(part) for part in schema]
        return type(schema)(part for part, _ in found), any(changed for _, changed in found)
    return schema, False
