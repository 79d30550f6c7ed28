"""Schemas: the JSON schemas of what is said in channels, and a name for each."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from ..declaring.channel import Channel
from ..declaring.messages import Messages

__all__ = ["SCHEMAS", "ChannelSchema", "MessageSchema", "described"]

SCHEMAS: Final = "#/components/schemas/"
_Direction = Literal["incoming", "outgoing"]
_MODES: Final[Mapping[_Direction, JsonSchemaMode]] = {
    "incoming": "validation",
    "outgoing": "serialization",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSchema:
    """A message.

    Args:
        model: Its name.
        type: What its `type` says.
        schema: The name of its schema.
        description: What its docstring says.
    """

    model: str
    type: str
    schema: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSchema:
    """A channel, and what is said in it.

    Args:
        name: Names it in a document.
        channel: The class.
        incoming: What clients send.
        outgoing: What they get.
    """

    name: str
    channel: type[Channel]
    incoming: tuple[MessageSchema, ...]
    outgoing: tuple[MessageSchema, ...]

    @property
    def description(self) -> str:
        """What its docstring says."""
        return _doc_of(self.channel)


class _AsSent(GenerateJsonSchema):
    """Says of what is published that it has all fields: those with a default are written too."""

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        is_written = field["type"] != "typed-dict-field" and self.mode == "serialization"
        if is_written and field.get("serialization_exclude_if") is None:
            return True
        return super().field_is_required(field, total)


def described(
    channels: Mapping[str, type[Channel]],
) -> tuple[list[ChannelSchema], dict[str, dict[str, Any]]]:
    """Return the channels with the names of their messages' schemas, and the schemas by name.

    Args:
        channels: The classes by their names in the project; the last part alone names one where
            no other has it.
    """
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for channel in channels.values():
        wanted |= dict.fromkeys(_wanted(channel))
    refs, whole = models_json_schema(
        [*wanted], ref_template=SCHEMAS + "{model}", schema_generator=_AsSent
    )
    schemas: dict[str, dict[str, Any]] = whole.get("$defs", {})
    names = {key: ref["$ref"].removeprefix(SCHEMAS) for key, ref in refs.items()}
    for name in names.values():
        _require_type(schemas[name])

    def messages_of(messages: Messages, direction: _Direction) -> tuple[MessageSchema, ...]:
        return tuple(
            MessageSchema(
                model=model.__name__,
                type=type_,
                schema=names[model, _MODES[direction]],
                description=_doc_of(model),
            )
            for type_, model in messages.by_type.items()
        )

    return [
        ChannelSchema(
            name=name,
            channel=channel,
            incoming=messages_of(channel.incoming, "incoming"),
            outgoing=messages_of(channel.outgoing, "outgoing"),
        )
        for name, channel in zip(_short(channels), channels.values(), strict=True)
    ], schemas


def _wanted(channel: type[Channel]) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    for model in channel.incoming.by_type.values():
        yield model, _MODES["incoming"]
    for model in channel.outgoing.by_type.values():
        yield model, _MODES["outgoing"]


def _require_type(schema: dict[str, Any]) -> None:
    """Say that a message has its `type`: it has a default for those who write Python alone."""
    required = schema.setdefault("required", [])
    if "type" not in required:
        required.insert(0, "type")


def _short(names: Iterable[str]) -> list[str]:
    whole = [*names]
    last = [name.rpartition(".")[2] for name in whole]
    return [
        short if last.count(short) == 1 else name for name, short in zip(whole, last, strict=True)
    ]


def _doc_of(cls: type[Any]) -> str:
    return inspect.cleandoc(vars(cls).get("__doc__") or "")
