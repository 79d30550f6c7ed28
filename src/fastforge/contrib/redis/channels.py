"""Channels: a broker in Redis, for processes on several machines."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ...channels import ChannelUnavailable
from ...channels.carrying.broker import Envelope, Kept, Recalled
from ...exceptions import ResourceUnavailable
from ...lifecycle import Breaker
from .errors import RedisLate
from .library import SENDS_AGAIN, AbstractConnection, Client, Pipeline, exceptions
from .permissions import forbidden
from .subscription import Subscription
from .unavailable import is_forbidden

__all__ = ["RedisBroker"]

LEASE_MS: Final = 30_000
"""How long those are there whom a process has told of, unless it tells again."""
ROOM_MS: Final = 86_400_000
ONCE_MS: Final = 10_000
"""How long it is known what was published, where a client may say it again without a word."""
_CHANGED: Final = b"!"
WAIT_S: Final = 2.0
"""How long a join waits for a server that is away."""
LATE: Final = "it may be published all the same, when Redis comes to it"
_SCRIPTS: Final = Path(__file__).parent / "scripts" / "channels"
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
        self._changed: Callable[[str], None] | None = None
        self._client = client
        self._gone: set[tuple[str, str]] = set()
        self._here: dict[tuple[str, str], bytes] = {}
        self._process = secrets.token_hex(8)
        self._present = _script(client, "present")
        self._publish = _script(client, "publish")
        self._recall = _script(client, "recall")
        # What is published is heard in all databases of a server.
        database = client.connection_pool.connection_kwargs.get("db") or 0
        self._name_prefix = f"{prefix}{database}:r:".encode()
        self.subscription: Final = Subscription(
            connect, heard=self._heard, lost=self._lost, breaker=breaker
        )

    def attach(
        self,
        deliver: Callable[[Envelope], None],
        missed: Callable[[], None],
        changed: Callable[[str], None],
    ) -> None:
        """Say who gets what comes in, and who hears that something was missed, or somebody came."""
        self._deliver, self._missed, self._changed = deliver, missed, changed

    @property
    def hearing(self) -> Subscription:
        """How well this process hears others."""
        return self.subscription

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
            raise self._away(self.subscription.failure or error) from error

    def unsubscribe(self, name: str) -> None:
        """Let them come in no more."""
        self.subscription.remove(self._name(name))

    async def publish(self, name: str, data: bytes, *, exclude: str, kept: Kept | None) -> int:
        """Send a message to every process, and keep it; both or neither."""
        count, ttl_ms = (0, 0) if kept is None else (kept.count, _ms(kept.ttl_s))
        arguments = [
            self._name(name), data, exclude or "-", count, ttl_ms, secrets.token_hex(4),
            ONCE_MS if SENDS_AGAIN else "",
        ]  # fmt: skip
        keys = [*self._keys(name), f"{self._prefix}o:{secrets.token_hex(8) if SENDS_AGAIN else ''}"]
        try:
            return int(await self._publish(keys=keys, args=arguments))
        except _AWAY as error:
            raise self._away(error) from error

    async def recall(
        self, name: str, *, after: int | None, epoch: str, kept: Kept | None
    ) -> Recalled:
        """Return what came after an id."""
        ttl_ms = 0 if kept is None else _ms(kept.ttl_s)
        arguments = ["" if after is None else after, epoch, ttl_ms, secrets.token_hex(4)]
        try:
            found = await self._recall(keys=self._keys(name), args=arguments)
        except _AWAY as error:
            raise self._away(error) from error
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

    # --- who is there ---

    async def enter(self, name: str, key: str, shown: bytes) -> None:
        """Let somebody be in a room, by this process."""
        self._here[name, key] = shown
        self._gone.discard((name, key))
        pipeline = self._renewing()
        fields: Any = {f"{self._process} {key}": shown}
        pipeline.hset(self._place(name), mapping=fields)
        pipeline.pexpire(self._place(name), ROOM_MS)
        pipeline.publish(self._name(name), _CHANGED)
        await self._run(pipeline)

    async def leave(self, name: str, key: str) -> None:
        """Let them be in it no more, as far as this process knows."""
        self._here.pop((name, key), None)
        self._gone.add((name, key))  # until it is written
        pipeline = self._client.pipeline(transaction=True)
        pipeline.hdel(self._place(name), f"{self._process} {key}")
        pipeline.publish(self._name(name), _CHANGED)
        await self._run(pipeline)
        self._gone.discard((name, key))

    async def present(self, name: str) -> Mapping[str, bytes]:
        """Return who is there."""
        try:
            found = await self._present(keys=[self._place(name)], args=[self._lease("")])
        except _AWAY as error:
            raise self._away(error) from error
        keys = (key.decode() for key in found[::2])
        return dict(zip(keys, found[1::2], strict=True))

    async def renew(self, here: Mapping[str, Sequence[str]]) -> None:
        """Let those be there that this process knows; also when Redis has forgotten them.

        Whoever went while Redis was away is there no more: as long as the process lives, nothing
        else would end that.
        """
        gone = tuple(self._gone)
        pipeline = self._renewing()
        for name, key in gone:
            pipeline.hdel(self._place(name), f"{self._process} {key}")
        for name, keys in here.items():
            known = {key: self._here[name, key] for key in keys if (name, key) in self._here}
            if known:
                fields: Any = {f"{self._process} {key}": shown for key, shown in known.items()}
                pipeline.hset(self._place(name), mapping=fields)
                pipeline.pexpire(self._place(name), ROOM_MS)
        await self._run(pipeline)
        self._gone.difference_update(gone)

    def _renewing(self) -> Pipeline:
        pipeline = self._client.pipeline(transaction=True)
        pipeline.set(self._lease(self._process), b"", px=LEASE_MS)
        return pipeline

    async def _run(self, pipeline: Pipeline) -> None:
        try:
            await pipeline.execute()
        except _AWAY as error:
            raise self._away(error) from error

    def _place(self, name: str) -> str:
        return f"{self._prefix}p:{name}"

    def _lease(self, process: str) -> str:
        return f"{self._prefix}l:{process}"

    def _away(self, error: BaseException) -> ChannelUnavailable:
        if is_forbidden(error):
            text, hint = forbidden(self._prefix, error)
            return ChannelUnavailable(text, code="channels.E023", hint=hint)
        reason = error.message if isinstance(error, ResourceUnavailable) else str(error)
        is_late = isinstance(error, RedisLate)
        return ChannelUnavailable(
            f"Redis carries no messages at present: {reason or 'it does not answer'}",
            code="channels.E022",
            hint=LATE if is_late else "nothing was published; it is tried again by itself",
        )

    # --- hearing ---

    def _heard(self, name: bytes, content: bytes) -> None:
        room = name.removeprefix(self._name_prefix).decode()
        if content == _CHANGED:
            if self._changed is not None:
                self._changed(room)
            return
        id_, exclude, data = content.split(b" ", 2)
        if self._deliver is not None:
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


def _script(client: Client, name: str) -> Callable[..., Awaitable[Any]]:
    text = (_SCRIPTS / f"{name}.lua").read_text("utf-8")
    script: Callable[..., Awaitable[Any]] = client.register_script(text)
    return script
