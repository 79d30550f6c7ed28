"""AsyncAPI: a document of the channels of a project, from their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..declaring.channel import Channel
from ..declaring.patterns import Parameter, Pattern
from .schemas import SCHEMAS, ChannelSchema, MessageSchema, described

__all__ = ["asyncapi_of"]

VERSION: Final = "3.0.0"
_ABOUT: Final = (
    "All channels are joined over one WebSocket at {path}. A message is the `data` of a frame:"
    ' a client sends {{"type":"push","channel":"...","data":...}} and gets'
    ' {{"type":"message","channel":"...","id":...,"data":...}}.'
)
_FORMS: Final[Mapping[str, str]] = {"int": "A whole number.", "uuid": "A UUID, in small letters."}


def asyncapi_of(
    channels: Mapping[str, type[Channel]], *, title: str, version: str, path: str
) -> dict[str, Any]:
    """Return the document; `send` in it is what the application sends.

    Args:
        channels: The classes by their names in the project.
        title: That of the project.
        version: That of the project.
        path: Where the WebSocket is.
    """
    found, schemas = described(channels)
    return {
        "asyncapi": VERSION,
        "info": {"title": title, "version": version, "description": _ABOUT.format(path=path)},
        "defaultContentType": "application/json",
        "channels": {each.name: _channel(each) for each in found},
        "operations": {
            f"{each.name}.{action}": _operation(each.name, action, messages)
            for each in found
            for action, messages in (("receive", each.incoming), ("send", each.outgoing))
            if messages
        },
        "components": {"schemas": schemas},
    }


def _channel(channel: ChannelSchema) -> dict[str, Any]:
    pattern = channel.channel.pattern
    assert pattern is not None
    told: dict[str, Any] = {"address": _address(pattern), "title": channel.name}
    if channel.description:
        told["description"] = channel.description
    if pattern.parameters:
        told["parameters"] = {each.name: _parameter(each) for each in pattern.parameters}
    told["messages"] = {
        _key(each): _message(each) for each in (*channel.incoming, *channel.outgoing)
    }
    return told


def _address(pattern: Pattern) -> str:
    return ":".join(
        f"{{{part.name}}}" if isinstance(part, Parameter) else part for part in pattern.parts
    )


def _parameter(parameter: Parameter) -> dict[str, str]:
    about = _FORMS.get(parameter.form)
    return {} if about is None else {"description": about}


def _message(message: MessageSchema) -> dict[str, Any]:
    told: dict[str, Any] = {"name": message.type, "title": message.model}
    if message.description:
        told["description"] = message.description
    return {**told, "payload": {"$ref": SCHEMAS + message.schema}}


def _operation(channel: str, action: str, messages: Sequence[MessageSchema]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{_key(each)}"} for each in messages],
    }


def _key(message: MessageSchema) -> str:
    """Return what names a message in its channel: a model may differ as it is sent and got."""
    return message.schema
