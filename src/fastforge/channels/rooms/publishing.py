"""Publishing: a message on its way to everybody in a room, when the transaction here commits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import anyio
import anyio.from_thread
import orjson
from pydantic import BaseModel

from ...lifecycle import Container, Role, current_container, transaction_here
from ..carrying.broker import SHARED_HINT
from ..errors import ChannelError, ChannelUnavailable
from ..sockets.connection import Connection
from .hub import Hub, hub_of
from .measured import publish_measured

if TYPE_CHECKING:
    from ..declaring.channel import Channel

__all__ = ["Publication", "Sending", "Watcher", "present", "publish", "publish_from_thread"]

_ID: Final = re.compile(r"[\w-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A message that is to be sent.

    Args:
        channel: The class.
        name: The room.
        parameters: What the parts of the name mean.
        message: What is said.
        exclude: The id of the connection that does not get it; empty for none.
    """

    channel: type[Channel]
    name: str
    parameters: Mapping[str, Any]
    message: BaseModel
    exclude: str


Sending: TypeAlias = Callable[[], Awaitable[None]]
"""Sends it: at once, or when the transaction commits."""
Watcher: TypeAlias = Callable[[Publication, Sending], Sending]
"""Is given what sends a message, and returns what is done in its place."""


async def publish(
    channel: type[Channel],
    message: BaseModel,
    parameters: Mapping[str, Any],
    *,
    exclude: Connection | str | None,
    immediately: bool,
) -> None:
    """Send a message, or let it wait for the commit.

    Raises:
        ChannelError: The message, the name or the process does not fit.
        ChannelUnavailable: It cannot be sent now.
    """
    if channel.pattern is None:
        raise _no_channel(channel)
    container = current_container()
    hub = hub_of(container)
    _refuse_foreign(channel, hub)
    name = channel.pattern.name_of(parameters)
    data = channel.outgoing.write(message, where=channel.__qualname__)
    _refuse_large(name, data, hub)
    _refuse_unheard(container, hub)
    excluded = _id_of(exclude)
    send: Sending = partial(publish_measured, container, hub, channel, name, data, excluded)
    if hub.watcher is not None:
        publication = Publication(
            channel=channel, name=name, parameters=parameters, message=message, exclude=excluded
        )
        send = hub.watcher(publication, send)
    transaction = None if immediately else transaction_here(container.registry)
    if transaction is None:
        await send()
    else:
        await hub.prove(name)  # the change that it tells of can still be refused
        transaction.on_commit(send)


def publish_from_thread(
    channel: type[Channel],
    message: BaseModel,
    parameters: Mapping[str, Any],
    *,
    exclude: Connection | str | None,
    immediately: bool,
) -> None:
    """Send a message from a thread that the event loop has started.

    Raises:
        ChannelError: It is no such thread, or as in `publish`.
        ChannelUnavailable: The process has ended, or as in `publish`.
    """
    send = partial(publish, channel, message, parameters, exclude=exclude, immediately=immediately)
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise _not_in_a_thread(channel, f"write `await {channel.__name__}.publish(...)` here")
    try:
        anyio.from_thread.run(send)
    except anyio.NoEventLoopError:
        raise _not_in_a_thread(
            channel, "call it in a plain `def` handler, task or command, or in `offload`"
        ) from None
    except anyio.RunFinishedError:
        raise ChannelUnavailable(
            f"the process has ended, and a thread of it publishes in {channel.__name__}",
            code="channels.E026",
            hint="nothing was published; let a thread end with what has started it",
        ) from None


async def present(channel: type[Channel], parameters: Mapping[str, Any]) -> list[Any]:
    """Return what those show who are in a room.

    Raises:
        ChannelError: The name does not fit, or the channel has no presence.
        ChannelUnavailable: It cannot be known now.
    """
    if channel.pattern is None:
        raise _no_channel(channel)
    hub = hub_of(current_container())
    _refuse_foreign(channel, hub)
    if not channel.bounds.presence:
        raise ChannelError(
            f"{channel.__qualname__} does not know who is there",
            code="channels.E016",
            hint="say presence=True beside its pattern",
        )
    found = await hub.broker.present(channel.pattern.name_of(parameters))
    return [orjson.loads(each) for each in found.values()]


def _id_of(exclude: Connection | str | None) -> str:
    """Return the id of a connection; empty for what is that of none, which clients may send.

    Raises:
        ChannelError: It is neither a connection nor a text.
    """
    found: object = exclude.id if isinstance(exclude, Connection) else exclude or ""
    if not isinstance(found, str):
        raise ChannelError(
            f"exclude={exclude!r:.80} is no connection: it is of the type {type(exclude).__name__}",
            code="channels.E025",
            hint="give a Connection, or the id that `welcome` has told its client",
        )
    return found if _ID.fullmatch(found) else ""


def _no_channel(channel: type[Channel]) -> ChannelError:
    return ChannelError(
        f"{channel.__qualname__} has no pattern: it is a base of channels",
        code="channels.E014",
        hint="publish in a channel that derives from it",
    )


def _refuse_foreign(channel: type[Channel], hub: Hub) -> None:
    if channel not in hub.channels:
        raise ChannelError(
            f"{channel.__qualname__} is no channel of this project",
            code="channels.E014",
            hint=f"put its app into INSTALLED_APPS; it is defined in {channel.__module__}, and"
            " channels.py is searched",
        )


def _refuse_large(name: str, data: bytes, hub: Hub) -> None:
    limit = hub.config.max_message_bytes
    if len(data) > limit:
        raise ChannelError(
            f"a message of {len(data):,} bytes is too large for {name}",
            code="channels.E013",
            hint=f"CHANNELS.max_message_bytes is {limit:,}; send an id, and let clients ask",
        )


def _refuse_unheard(container: Container, hub: Hub) -> None:
    """Refuse to lose a message: what is only in memory reaches nobody from another process."""
    if container.role is not Role.WEB and not hub.broker.reaches_other_processes:
        if container.settings.environment == "test":
            return
        raise ChannelError(
            f"a message from this {container.role} process would reach nobody: CHANNELS.backend"
            " is memory",
            code="channels.E021",
            hint=SHARED_HINT,
            where=container.settings.where("CHANNELS"),
        )


def _not_in_a_thread(channel: type[Channel], hint: str) -> ChannelError:
    return ChannelError(
        f"{channel.__name__}.publish_from_thread was not called in a thread of the event loop",
        code="channels.E015",
        hint=hint,
    )
