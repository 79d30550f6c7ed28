"""Faults: what carries the messages of a test, and fails when it is told to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

from ...channels.carrying.broker import Broker, Envelope, Hearing, Kept, Recalled
from ...channels.errors import ChannelUnavailable

__all__ = ["BackendUnderTest", "BrokerOfTests"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deaf:
    """How well others are heard while the test lets nothing come in: not at all."""

    reconnects: int
    deaf_since: float
    is_connected: bool = False


class BackendUnderTest:
    """What carries messages between the processes of a project, as far as a test disturbs it.

    ```python
    channels.backend.disconnect()
    assert (await client.post("/orders")).status_code == 503
    channels.backend.heal()
    ```

    Args:
        now: The time in seconds, which only goes on.

    Attributes:
        is_away: Whether it is disconnected.
        loses: Whether what is published does not come in.
        deaf_since: Since when one of the two.
        delay_s: How much later it comes in.
        lock: Is held by whoever uses what is in memory, which several event loops do.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.is_away = False
        self.loses = False
        self.deaf_since = 0.0
        self.delay_s = 0.0
        self.lock: Final = threading.RLock()
        self.now: Final = now
        self._brokers: list[BrokerOfTests] = []

    def disconnect(self) -> None:
        """Be away: publishing fails with `ChannelUnavailable`, and joins are refused."""
        self._is_deaf_from_now_on()
        self.is_away = True

    def drop(self) -> None:
        """Lose what is published from now on, as where the connection that hears has broken.

        Publishing succeeds, and what is kept in a history is kept.
        """
        self._is_deaf_from_now_on()
        self.loses = True

    def delay(self, time: timedelta) -> None:
        """Let what is published come in later, by the clock that `let_pass` advances."""
        self.delay_s = time.total_seconds()

    def heal(self) -> None:
        """End all of that: what was delayed comes in, and clients get or are told what is lost."""
        is_lossy = self.is_deaf
        self.is_away = self.loses = False
        self.delay_s = 0.0
        for broker in tuple(self._brokers):
            broker.heal(is_lossy=is_lossy)

    # --- for what stands between ---

    @property
    def is_deaf(self) -> bool:
        """Whether nothing comes in."""
        return self.is_away or self.loses

    def _is_deaf_from_now_on(self) -> None:
        self.deaf_since = self.deaf_since if self.is_deaf else self.now()

    def attached(self, broker: BrokerOfTests) -> None:
        """Know a process that hears."""
        self._brokers.append(broker)

    def detached(self, broker: BrokerOfTests) -> None:
        """Forget one that has ended."""
        if broker in self._brokers:
            self._brokers.remove(broker)

    def came(self, envelope: Envelope) -> None:
        """Give every process a message that one of them has published in memory."""
        for broker in tuple(self._brokers):
            broker.take(envelope)

    def changed(self, name: str) -> None:
        """Tell every process that somebody came to a room, or went."""
        for broker in tuple(self._brokers):
            broker.tell_changed(name)

    def release(self) -> None:
        """Let in what is late enough by now."""
        for broker in tuple(self._brokers):
            broker.release()


class BrokerOfTests:
    """A broker as it is; only that it fails when the test says so. One for each process.

    Args:
        broker: What carries messages. That of the memory is one for all processes of a test.
        backend: What the test says.
        is_shared: Whether it is that.
    """

    def __init__(self, broker: Broker, backend: BackendUnderTest, *, is_shared: bool) -> None:
        self.reaches_other_processes = broker.reaches_other_processes
        self._backend = backend
        self._broker = broker
        self._held: deque[tuple[float, Envelope]] = deque()
        self._is_shared = is_shared
        self._loop = asyncio.get_running_loop()
        # Of the same user several processes may know something: as with Redis, each has its own.
        self._process = f"{id(self):x}/" if is_shared else ""

    @property
    def hearing(self) -> Hearing | None:
        """How well others are heard."""
        hearing = self._broker.hearing
        if not self._backend.is_deaf:
            return hearing
        # Whoever asks goes by the clock of the machine, and not by that of the test.
        ahead_s = self._backend.now() - time.monotonic()
        return _Deaf(
            reconnects=0 if hearing is None else hearing.reconnects,
            deaf_since=self._backend.deaf_since - ahead_s,
        )

    # --- what comes in ---

    def attach(
        self,
        deliver: Callable[[Envelope], None],
        missed: Callable[[], None],
        changed: Callable[[str], None],
    ) -> None:
        """Say who gets what comes in."""
        self._deliver, self._missed, self._changed = deliver, missed, changed
        self._backend.attached(self)
        if not self._is_shared:
            self._broker.attach(self.take, missed, changed)

    def take(self, envelope: Envelope) -> None:
        """Take a message, in whichever thread it was published."""
        self._on_loop(self._take, envelope)

    def tell_changed(self, name: str) -> None:
        """Hear that somebody came to a room, or went."""
        self._on_loop(self._changed, name)

    def release(self) -> None:
        """Let in what is late enough by now."""
        self._on_loop(self._release)

    def heal(self, *, is_lossy: bool) -> None:
        """Let in what was delayed, and look for what was lost."""
        self._on_loop(self._heal, is_lossy)

    def _take(self, envelope: Envelope) -> None:
        if self._backend.is_deaf:
            return
        if self._backend.delay_s or self._held:
            self._held.append((self._backend.now() + self._backend.delay_s, envelope))
            self._loop.call_later(self._backend.delay_s, self._release)
        else:
            self._deliver(envelope)

    def _release(self) -> None:
        while self._held and self._held[0][0] <= self._backend.now():
            self._deliver(self._held.popleft()[1])

    def _heal(self, is_lossy: bool) -> None:
        while self._held:
            self._deliver(self._held.popleft()[1])
        if is_lossy:
            self._missed()

    def _on_loop(self, call: Callable[..., None], *arguments: Any) -> None:
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            call(*arguments)
        else:
            with suppress(RuntimeError):  # a server of the test that has ended meanwhile
                self._loop.call_soon_threadsafe(call, *arguments)

    # --- what goes out ---

    async def subscribe(self, name: str) -> None:
        """Let messages of a room come in."""
        await self._done(self._broker.subscribe(name))

    def unsubscribe(self, name: str) -> None:
        """Let them come in no more."""
        self._broker.unsubscribe(name)

    async def publish(self, name: str, data: bytes, *, exclude: str, kept: Kept | None) -> int:
        """Send a message to every process."""
        return await self._done(self._broker.publish(name, data, exclude=exclude, kept=kept))

    async def recall(
        self, name: str, *, after: int | None, epoch: str, kept: Kept | None
    ) -> Recalled:
        """Return what came after an id."""
        return await self._done(self._broker.recall(name, after=after, epoch=epoch, kept=kept))

    async def enter(self, name: str, key: str, shown: bytes) -> None:
        """Let somebody be in a room."""
        await self._done(self._broker.enter(name, self._process + key, shown))

    async def leave(self, name: str, key: str) -> None:
        """Let them be in it no more."""
        await self._done(self._broker.leave(name, self._process + key))

    async def present(self, name: str) -> Mapping[str, bytes]:
        """Return who is there."""
        found = await self._done(self._broker.present(name))
        if not self._is_shared:
            return found
        return {key.partition("/")[2]: shown for key, shown in found.items()}

    async def renew(self, here: Mapping[str, Sequence[str]]) -> None:
        """Let those be there that this process knows."""
        await self._done(self._broker.renew(here))

    async def _done(self, call: Coroutine[Any, Any, T]) -> T:
        """Let the broker do something, unless it is away.

        What is in memory does not wait, so that a lock may be held meanwhile.
        """
        if self._backend.is_away:
            call.close()
            raise ChannelUnavailable(
                "nothing carries messages at present: the test has disconnected the backend",
                code="test.E009",
                hint="channels.backend.heal() ends that",
            )
        if not self._is_shared:
            return await call
        with self._backend.lock:
            return await call
