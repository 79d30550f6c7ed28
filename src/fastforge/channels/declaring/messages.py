"""Messages: what clients of a channel send or get: models that differ in their `type`."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError, create_model

from ..._utils import did_you_mean
from ...exceptions import ComponentError
from ..errors import ChannelError

__all__ = ["NO_MESSAGES", "InvalidMessage", "Messages", "type_of", "type_of_model"]

MOST_ERRORS: Final = 20

_TYPE: Final = "type"


class InvalidMessage(ValueError):
    """What a client has sent is none of the messages.

    Args:
        message: In words.
        errors: What is wrong with which field, as pydantic tells it; without what was sent.
    """

    def __init__(self, message: str, errors: Sequence[Mapping[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.errors: Final = errors

    @classmethod
    def of(cls, error: ValidationError) -> InvalidMessage:
        """Return it for what pydantic has found; a long list of that would be a large answer."""
        count = error.error_count()
        if count > MOST_ERRORS:
            return cls(f"the message has {count:,} errors")
        found = error.errors(include_url=False, include_input=False, include_context=False)
        told = [{**each, "loc": each["loc"][1:]} for each in found]  # within `data`
        return cls("the message is not valid", told)


@dataclass(frozen=True, slots=True)
class Messages:
    """A union of models.

    Args:
        by_type: The models, by what their `type` says.
        frames: Those of frames with such a message, as far as any has come.
    """

    by_type: Mapping[str, type[BaseModel]]
    frames: dict[type[BaseModel], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, annotation: Any, *, where: str) -> Messages:
        """Read `Said | Left`, or one model.

        Args:
            annotation: What `Incoming` or `Outgoing` is; None: nothing.
            where: Whose that is, for errors.

        Raises:
            ComponentError: A member is no model, or has no `type: Literal["..."]` of its own.
        """
        if annotation is None:
            return NO_MESSAGES
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

    def read(self, data: object, frame: str) -> BaseModel:
        """Return the message that a client means.

        Args:
            data: It, which says of what type it is.
            frame: The text that has it as its `data`. From there it is read: a strict model takes a
                date that is written as a text, and a number has all the digits that were sent.

        Raises:
            InvalidMessage: There is none of that type, or it is not as its model says.
        """
        type_ = data.get(_TYPE) if isinstance(data, dict) else None
        model = self.by_type.get(type_) if isinstance(type_, str) else None
        if model is None:
            names = ", ".join(sorted(self.by_type)) or "none"
            raise InvalidMessage(f"the type is one of {names}")
        try:
            message: BaseModel = self._in_frame(model).model_validate_json(frame).data
        except ValidationError as error:
            raise InvalidMessage.of(error) from None
        return message

    def _in_frame(self, model: type[BaseModel]) -> Any:
        """Return the model of a frame with such a message; it is made when the first one comes."""
        found = self.frames.get(model)
        if found is None:
            found = self.frames[model] = create_model("Frame", data=(model, ...))
        return found

    def write(self, message: object, *, where: str) -> bytes:
        """Return the JSON of a message.

        Raises:
            ChannelError: It is none of these.
        """
        if isinstance(message, BaseModel) and isinstance(message, (*self.by_type.values(),)):
            return message.__pydantic_serializer__.to_json(message, by_alias=True)
        is_class = isinstance(message, type)
        shown = (message if isinstance(message, type) else type(message)).__name__
        names = [model.__name__ for model in self.by_type.values()]
        raise ChannelError(
            f"{'the class' if is_class else 'a'} {shown} cannot be published in {where}",
            code="channels.E010",
            hint=f"write {shown}(...)"
            if is_class and shown in names
            else did_you_mean(shown, names) or f"its Outgoing has {', '.join(names) or 'nothing'}",
        )


def type_of(message: BaseModel) -> str:
    """Return the `type` of a message that one of these models has read."""
    return str(getattr(message, _TYPE))


NO_MESSAGES: Final = Messages(types.MappingProxyType({}))


def _members(annotation: Any) -> Iterator[Any]:
    annotation = getattr(annotation, "__value__", annotation)  # type Outgoing = Said | Left
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
            f"{where}: {_shown(model)} is no model",
            code="channels.E002",
            hint=_united(model, where)
            or f"write pydantic models: {where.rpartition('.')[2]} = Said | Left",
        )
    found = model.model_fields.get(_TYPE)
    if found is not None and (found.serialization_alias or _TYPE) != _TYPE:
        raise ComponentError(
            f"{where}: the type of {model.__name__} is written as {found.serialization_alias!r}",
            code="channels.E002",
            hint="clients tell messages apart by `type`: let that field have no alias",
        )
    values = typing.get_args(found.annotation) if found is not None else ()
    is_literal = found is not None and typing.get_origin(found.annotation) is Literal
    if not is_literal or len(values) != 1 or not isinstance(values[0], str):
        lower = model.__name__.lower()
        raise ComponentError(
            f"{where}: {model.__name__} has no type of its own",
            code="channels.E002",
            hint=f'give it the field `type: Literal["{lower}"] = "{lower}"`',
        )
    return values[0]


def _united(value: object, where: str) -> str:
    """Return how a list of models is written as a union; empty where it is none."""
    if not isinstance(value, list | tuple | set | frozenset) or not value:
        return ""
    if not all(isinstance(each, type) for each in value):
        return ""
    return f"write {where.rpartition('.')[2]} = {' | '.join(_shown(each) for each in value)}"


def _shown(value: object) -> str:
    """Return what somebody has most likely written."""
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, list | tuple | set | frozenset):
        return (
            f"a {type(value).__name__} of {', '.join(_shown(each) for each in value) or 'nothing'}"
        )
    return f"{value!r:.80}"
