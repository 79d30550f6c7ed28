"""Messages: what clients of a channel send or get: models that differ in their `type`."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson
from pydantic import BaseModel

from .._utils import did_you_mean
from ..exceptions import ComponentError
from .errors import ChannelError

__all__ = ["NO_MESSAGES", "Messages", "type_of", "type_of_model"]

_TYPE: Final = "type"


@dataclass(frozen=True, slots=True)
class Messages:
    """A union of models.

    Args:
        by_type: The models, by what their `type` says.
    """

    by_type: Mapping[str, type[BaseModel]]

    @classmethod
    def of(cls, annotation: Any, *, where: str) -> Messages:
        """Read `Said | Left`, or one model.

        Args:
            annotation: What `Incoming` or `Outgoing` is.
            where: Whose that is, for errors.

        Raises:
            ComponentError: A member is no model, or has no `type: Literal["..."]` of its own.
        """
        found: dict[str, type[BaseModel]] = {}
        for model in _members(annotation):
            name = type_of_model(model, where)
            if found.setdefault(name, model) is not model:
                raise ComponentError(
                    f"{where}: {found[name].__name__} and {model.__name__} both have the type"
                    f" {name!r}",
                    code="channels.E003",
                    hint="give one of them another type",
                )
        return cls(types.MappingProxyType(found))

    def read(self, data: object) -> BaseModel:
        """Return the message that a client means.

        Raises:
            ValueError: There is none of that type.
            ValidationError: It is not as its model says; a ValueError as well.
        """
        type_ = data.get(_TYPE) if isinstance(data, dict) else None
        model = self.by_type.get(type_) if isinstance(type_, str) else None
        if model is None:
            raise ValueError(f"the type is one of {', '.join(sorted(self.by_type)) or 'none'}")
        # As JSON, not as objects: a strict model takes a date that is written as a text.
        return model.model_validate_json(orjson.dumps(data))

    def write(self, message: object, *, where: str) -> bytes:
        """Return the JSON of a message.

        Raises:
            ChannelError: It is none of these.
        """
        if isinstance(message, BaseModel) and isinstance(message, (*self.by_type.values(),)):
            return message.__pydantic_serializer__.to_json(message, by_alias=True)
        shown = type(message).__name__
        names = [model.__name__ for model in self.by_type.values()]
        raise ChannelError(
            f"a {shown} cannot be published in {where}",
            code="channels.E010",
            hint=did_you_mean(shown, names) or f"its Outgoing has {', '.join(names) or 'nothing'}",
        )


def type_of(message: BaseModel) -> str:
    """Return the `type` of a message that one of these models has read."""
    return str(getattr(message, _TYPE))


NO_MESSAGES: Final = Messages(types.MappingProxyType({}))


def _members(annotation: Any) -> Iterator[Any]:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for each in typing.get_args(annotation):
            yield from _members(each)
    else:
        yield annotation


def type_of_model(model: Any, where: str) -> str:
    """Return what the `type` of a model says.

    Raises:
        ComponentError: It is no model, or has none of its own.
    """
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise ComponentError(
            f"{where}: {model!r} is no model",
            code="channels.E002",
            hint="write pydantic models: Outgoing = Said | Left",
        )
    field = model.model_fields.get(_TYPE)
    values = typing.get_args(field.annotation) if field is not None else ()
    is_literal = field is not None and typing.get_origin(field.annotation) is Literal
    if not is_literal or len(values) != 1 or not isinstance(values[0], str):
        lower = model.__name__.lower()
        raise ComponentError(
            f"{where}: {model.__name__} has no type of its own",
            code="channels.E002",
            hint=f'give it the field `type: Literal["{lower}"] = "{lower}"`',
        )
    return values[0]
