"""Broadcasts: what was published in a test, and what only would have been."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel

from ..._utils import did_you_mean
from ...channels.declaring.channel import Channel
from ...channels.errors import ChannelError
from ...channels.rooms.publishing import Publication, Sending
from .matching import matches
from .texts import no_broadcast, unexpected_broadcasts

__all__ = ["Broadcasts"]


class Broadcasts:
    """Knows what was published, by whatever runs in a test, in whichever thread."""

    def __init__(self) -> None:
        self._changed: Final = threading.Condition()
        self._failed: list[Publication] = []
        self._sent: list[Publication] = []
        self._waiting: list[Publication] = []

    def watch(self, publication: Publication, send: Sending) -> Sending:
        """Remember a message: first that it waits, then what has become of it."""
        # What the code does to the object afterwards is not what it has said.
        kept = replace(publication, message=publication.message.model_copy(deep=True))
        with self._changed:
            self._waiting.append(kept)

        async def sent() -> None:
            into = self._failed
            try:
                await send()
                into = self._sent
            finally:
                with self._changed:
                    self._waiting[:] = [each for each in self._waiting if each is not kept]
                    into.append(kept)
                    self._changed.notify_all()

        return sent

    def found(
        self,
        channel: type[Channel] | None,
        message: type[BaseModel] | BaseModel | None,
        parameters: Mapping[str, Any],
    ) -> list[Publication]:
        """Return what was published, in order.

        Raises:
            ChannelError: No room of the channel has such parameters, or no message that type.
        """
        _refuse_impossible(channel, message, parameters)
        with self._changed:
            return [each for each in self._sent if _is_meant(each, channel, message, parameters)]

    def expect(
        self,
        channel: type[Channel],
        message: type[BaseModel] | BaseModel,
        parameters: Mapping[str, Any],
        *,
        within_s: float,
    ) -> Publication:
        """Return the first that is meant; without an event loop wait for it.

        Raises:
            AssertionError: There is none.
            ChannelError: No room of the channel has such parameters, or no message that type.
        """
        __tracebackhide__ = True
        found = self.found(channel, message, parameters)
        if not found and not _is_on_a_loop():  # a server in a thread may be about to
            with self._changed:
                self._changed.wait_for(lambda: self.found(channel, message, parameters), within_s)
            found = self.found(channel, message, parameters)
        if found:
            return found[0]
        raise AssertionError(
            no_broadcast(
                channel, message, parameters, self._sent, waiting=self._waiting, failed=self._failed
            )
        )

    def expect_none(
        self,
        channel: type[Channel] | None,
        message: type[BaseModel] | BaseModel | None,
        parameters: Mapping[str, Any],
    ) -> None:
        """Be sure that nothing of that kind was published.

        Raises:
            AssertionError: Something was.
            ChannelError: No room of the channel has such parameters, or no message that type.
        """
        __tracebackhide__ = True
        found = self.found(channel, message, parameters)
        if found:
            raise AssertionError(unexpected_broadcasts(found))


def _refuse_impossible(
    channel: type[Channel] | None,
    message: type[BaseModel] | BaseModel | None,
    parameters: Mapping[str, Any],
) -> None:
    """Refuse to look for what nobody can have published: a test would pass, or wait, for nothing.

    Raises:
        ChannelError: No room of the channel has such parameters, or no message that type.
    """
    if channel is None or channel.pattern is None:
        if parameters:
            raise _impossible(f"{', '.join(parameters)} belongs to no channel", "name one first")
        return
    known = {each.name: each for each in channel.pattern.parameters}
    for name, value in parameters.items():
        if name not in known:
            shown = ", ".join(known) or "none"
            raise _impossible(
                f"{channel.__qualname__} has no parameter {name!r}",
                did_you_mean(name, known) or f"it has {shown}",
            )
        try:
            known[name].write(value)
        except ValueError as error:
            problem = f"no room of {channel.__qualname__} has {name}={value!r}"
            raise _impossible(problem, str(error)) from None
    models = (*channel.outgoing.by_type.values(),)
    model = message if message is None or isinstance(message, type) else type(message)
    if model is not None and not issubclass(model, models):
        names = [each.__name__ for each in models]
        raise _impossible(
            f"no {model.__name__} is published in {channel.__qualname__}",
            did_you_mean(model.__name__, names) or f"its Outgoing has {', '.join(names)}",
        )


def _impossible(problem: str, hint: str) -> ChannelError:
    return ChannelError(problem, code="test.E010", hint=hint)


def _is_meant(
    publication: Publication,
    channel: type[Channel] | None,
    message: type[BaseModel] | BaseModel | None,
    parameters: Mapping[str, Any],
) -> bool:
    if channel is not None and publication.channel is not channel:
        return False
    if any(publication.parameters[name] != value for name, value in parameters.items()):
        return False
    return message is None or matches(publication.message, message)


def _is_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
