"""Channels: a broker in Redis, for processes on several machines."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from ...channels import ChannelUnavailable
from ...channels.broker import Envelope, Kept, Recalled
from ...exceptions import ResourceUnavailable
from ...lifecycle import Breaker
from .library import AbstractConnection, Client, exceptions
from .subscription import Subscription

__all__ = ["RedisBroker"]

WAIT_S: Final = 2.0
"""How long a join waits for a server that is away."""
_SCRIPTS: Final = Path(__file__).parent / "scripts"
_AWAY: Final = (exceptions.RedisError, OSError, ResourceUnavailable, TimeoutError)


class RedisBroker:
    """Publishes by the client of the process, and hears by a connection of its own.

    An id has the time in it, so that a room which nobody speaks in needs no key: whether something
    may have been missed is seen from how long ago the last id was given.

    Args:
        client: The client of the process.
        connect: Makes a connection that is not open yet.
        prefix: What all keys and names begin with.
        breaker: Says that nothing is heard.

    Attributes:
        subscription: What is heard.
    """

    reaches_other_processes: Final = True

    def __init__(
        self,
        client: Client,
        connect: Callable[[], AbstractConnection],
        *,
        prefix: str,
        breaker: Breaker,
    ) -> None:
        self._prefix = prefix
        self._deliver: Callable[[Envelope], None] | None = None
        self._missed: Callable[[], None] | None = None
        self._publish = _script(client, "channels_publish")
        self._recall = _script(client, "channels_recall")
        self._name_prefix = f"{prefix}r:".encode()
        self.subscription: Final = Subscription(
            connect, heard=self._heard, lost=self._lost, breaker=breaker
        )

    def attach(self, deliver: Callable[[Envelope], None], missed: Callable[[], None]) -> None:
        """Say who gets what comes in, and who hears that something may have been missed."""
        self._deliver, self._missed = deliver, missed

    async def subscribe(self, name: str) -> None:
        """Let messages of a room come in.

        Raises:
            ChannelUnavailable: Redis is away for longer than somebody who joins may wait.
        """
        try:
            async with asyncio.timeout(WAIT_S):
                await self.subscription.add(self._name(name))
        except TimeoutError as error:
            self.unsubscribe(name)
            raise _away(error) from error

    def unsubscribe(self, name: str) -> None:
        """Let them come in no more."""
        self.subscription.remove(self._name(name))

    async def publish(self, name: str, data: bytes, *, exclude: str, kept: Kept | None) -> int:
        """Send a message to every process, and keep it; both or neither."""
        count, ttl_ms = (0, 0) if kept is None else (kept.count, _ms(kept.ttl_s))
        arguments = [
            self._name(name), data, exclude or "-", count, ttl_ms, secrets.token_hex(4),
        ]  # fmt: skip
        try:
            return int(await self._publish(keys=self._keys(name), args=arguments))
        except _AWAY as error:
            raise _away(error) from error

    async def recall(
        self, name: str, *, after: int | None, epoch: str, kept: Kept | None
    ) -> Recalled:
        """Return what came after an id."""
        ttl_ms = 0 if kept is None else _ms(kept.ttl_s)
        arguments = ["" if after is None else after, epoch, ttl_ms, secrets.token_hex(4)]
        try:
            found = await self._recall(keys=self._keys(name), args=arguments)
        except _AWAY as error:
            raise _away(error) from error
        present, last_id, is_complete, *messages = found
        return Recalled(
            epoch=present.decode(),
            last_id=int(last_id),
            messages=[
                Envelope(name, int(id_), data, _exclude(exclude))
                for id_, exclude, data in zip(*[iter(messages)] * 3, strict=True)
            ],
            is_complete=bool(is_complete),
        )

    def _heard(self, name: bytes, content: bytes) -> None:
        id_, exclude, data = content.split(b" ", 2)
        if self._deliver is not None:
            room = name.removeprefix(self._name_prefix).decode()
            self._deliver(Envelope(room, int(id_), data, _exclude(exclude)))

    def _lost(self) -> None:
        if self._missed is not None:
            self._missed()

    def _name(self, name: str) -> bytes:
        return self._name_prefix + name.encode()

    def _keys(self, name: str) -> list[Any]:
        return [f"{self._prefix}meta", f"{self._prefix}h:{name}"]


def _exclude(text: bytes) -> str:
    return "" if text == b"-" else text.decode()


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _away(error: BaseException) -> ChannelUnavailable:
    reason = error.message if isinstance(error, ResourceUnavailable) else str(error)
    return ChannelUnavailable(
        f"Redis carries no messages at present: {reason or 'it does not answer'}",
        code="channels.E022",
        hint="nothing was published; it is tried again by itself",
    )


def _script(client: Client, name: str) -> Callable[..., Awaitable[Any]]:
    text = (_SCRIPTS / f"{name}.lua").read_text("utf-8")
    script: Callable[..., Awaitable[Any]] = client.register_script(text)
    return script
