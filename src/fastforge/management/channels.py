"""Channels as commands see them: one by its name, a message by its text, and what is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import from_json

from .._utils import did_you_mean
from ..channels.declaring.channel import Channel
from ..channels.declaring.messages import InvalidMessage
from ..channels.kinds import CHANNELS
from ..channels.rooms.hub import hub_of
from ..exceptions import CommandError

if TYPE_CHECKING:
    from ..lifecycle import Container
    from ..project import Project

__all__ = ["channel_facts", "channels_by_name", "message_of", "publish_in"]


def publish_in(name: str, container: Container) -> tuple[type[Channel], dict[str, Any]]:
    """Return the channel that a name belongs to, and its parameters.

    Raises:
        CommandError: There is none.
    """
    hub = hub_of(container)
    found = hub.channel_of(name)
    if found is not None:
        return found
    patterns = [each.pattern.text for each in hub.channels if each.pattern is not None]
    raise CommandError(
        f"{name!r} is the name of no channel",
        code="channels.E030",
        hint=did_you_mean(name, patterns) or f"there are {', '.join(patterns) or 'none'}",
    )


def message_of(channel: type[Channel], text: str) -> BaseModel:
    """Return the message that a text is.

    Raises:
        CommandError: It is no JSON, or nothing that is published in the channel.
    """
    try:
        return channel.outgoing.read(from_json(text), f'{{"data":{text}}}')
    except InvalidMessage as error:
        problem = str(error)
        for first in (error.errors or ())[:1]:
            problem = ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
    except ValueError as error:
        problem = f"it is no JSON, {error}"
    raise CommandError(
        f"this cannot be published in {channel.__qualname__}: {problem}",
        code="channels.E031",
        hint="`channels docs` shows what its Outgoing has",
    )


def channels_by_name(project: Project) -> Mapping[str, type[Channel]]:
    """Return the channels of a project by their names in it.

    Raises:
        CommandError: There are none.
    """
    found = {each.name: each.value for each in project.registry.components(CHANNELS)}
    if found:
        return found
    raise CommandError(
        "this project has no channels",
        code="channels.E032",
        hint="write a class that derives from Channel into an app's channels.py",
    )


def channel_facts(channel: type[Channel]) -> dict[str, Any]:
    """Return what a list of channels shows of each: its names, messages, bounds, who may join."""
    bounds = channel.bounds
    return {
        "pattern": "" if channel.pattern is None else channel.pattern.text,
        "incoming": [model.__name__ for model in channel.incoming.by_type.values()],
        "outgoing": [model.__name__ for model in channel.outgoing.by_type.values()],
        "overflow": bounds.overflow,
        "history": str(bounds.history or ""),
        "joins": "anybody" if bounds.public else "authorize",
    }
