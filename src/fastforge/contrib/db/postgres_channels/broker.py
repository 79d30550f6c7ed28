"""Channels: a broker in PostgreSQL, for projects that have no Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from functools import partial
from hashlib import blake2b
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from ....channels import ChannelError
from ....channels.carrying.broker import Envelope, Kept, Recalled
from ....lifecycle import Breaker
from ..listening import listen
from . import statements
from .asking import WAIT_S, Asking, away
from .attending import Attending
from .hearing import Hearing
from .proving import heard_and_proved
from .sharing import Shared
from .telling import CHANGED, ECHO, FULL, LARGEST, ROW, Inbox, Note, rest_of

__all__ = ["CONNECTIONS", "PostgresBroker"]

logger = logging.getLogger("fastforge.contrib.db")

CONNECTIONS: Final = 3
"""What a process takes besides its pool: one hears, by the others it publishes and asks."""
AT_ONCE: Final = CONNECTIONS - 1
ASK_EVERY_S: Final = 2.0
"""How often the server is asked for a word; it has as long again to give one."""
CARRIED_S: Final = 60.0
"""How long a message that is too large to be told is there to be fetched."""
FORGET_EVERY_S: Final = 30.0
_US: Final = 1_000_000


class PostgresBroker:
    """Tells every process of every message by NOTIFY, and keeps in a table what has to be kept.

    Each process hears of all rooms of the project, by one connection, and picks out those that
    somebody is in. So nothing is subscribed to that could be forgotten, or be left behind.

    Args:
        engine: A few connections that channels have to themselves.
        prefix: What tells projects apart that share a database.
        breaker: Says that nothing is heard.

    Attributes:
        hearing: How well it hears.
    """

    reaches_other_processes: Final = True

    def __init__(self, engine: AsyncEngine, *, prefix: str, breaker: Breaker) -> None:
        digest = blake2b(prefix.encode(), digest_size=8).hexdigest()
        self._channel: Final = f"fastforge_channels_{digest}"
        self._prefix = prefix
        self._asking = Asking(engine, at_once=AT_ONCE)
        self._standing = Shared(lambda: self._asking.ask(statements.STAND))
        self._attending = Attending(self._asking, prefix=prefix, channel=self._channel)
        self._changed: Callable[[str], None] | None = None
        self._deliver: Callable[[Envelope], None] | None = None
        self._missed: Callable[[], None] | None = None
        self._forgetting: asyncio.Task[None] | None = None
        self._forgot_at = -FORGET_EVERY_S
        self._wanted: set[str] = set()
        self._withheld: list[Note] = []
        self._word, self._word_heard = "", asyncio.Event()
        self._inbox = Inbox(
            take=self._take,
            fetch=self._fetch,
            is_wanted=self._is_wanted,
            lost=self._lost,
        )
        self.hearing: Final = Hearing(
            partial(heard_and_proved, partial(self._listen, engine), self._tell, self._expect),
            lost=self._lost,
            breaker=breaker,
        )

    def attach(
        self,
        deliver: Callable[[Envelope], None],
        missed: Callable[[], None],
        changed: Callable[[str], None],
    ) -> None:
        """Say who gets what comes in, and who hears that something was missed, or somebody came."""
        self._deliver, self._missed, self._changed = deliver, missed, changed

    async def subscribe(self, name: str) -> None:
        """Let messages of a room come in.

        Raises:
            ChannelUnavailable: PostgreSQL is away for longer than somebody who joins may wait.
        """
        self._wanted.add(name)
        try:
            async with asyncio.timeout(WAIT_S):
                await self.hearing.ready()
        except TimeoutError as error:
            self.unsubscribe(name)
            silence = ConnectionError("it does not answer")
            raise away(self.hearing.failure or silence) from error

    def unsubscribe(self, name: str) -> None:
        """Let them come in no more."""
        self._wanted.discard(name)

    async def publish(self, name: str, data: bytes, *, exclude: str, kept: Kept | None) -> int:
        """Send a message to every process, and keep it; both or neither."""
        text = data.decode()
        rest = rest_of(name, exclude, text)
        is_large = len(rest.encode()) > LARGEST
        if kept is None and not is_large:
            (row,) = await self._asking.ask(
                statements.PUBLISH, channel=self._channel, kind=f"{FULL} ", rest=rest
            )
            return int(row.id)
        (row,) = await self._asking.ask(
            statements.KEEP,
            channel=self._channel,
            kind=f"{ROW if is_large else FULL} ",
            rest=rest_of(name, exclude) if is_large else rest,
            name=f"{self._prefix}{name}",
            exclude=exclude,
            data=text,
            keeps=0 if kept is None else kept.count,
            ttl_s=CARRIED_S if kept is None else kept.ttl_s,
        )
        self._forget()
        return int(row.id)

    async def recall(
        self, name: str, *, after: int | None, epoch: str, kept: Kept | None
    ) -> Recalled:
        """Return what came after an id."""
        (now,) = await self._standing.get()
        if after is None or kept is None or epoch != now.epoch or after > now.id:
            return Recalled(epoch=now.epoch, last_id=now.id)
        rows = await self._asking.ask(
            statements.READ, name=f"{self._prefix}{name}", stand=now.id, most=kept.count + 1
        )
        is_complete = any(row.id <= after for row in rows)
        if not is_complete and (now.id - after + statements.BEHIND_US) < kept.ttl_s * _US:
            # Nothing has expired since. Where rows had to give way, more than these are there.
            is_complete = len(rows) <= min([kept.count, *(row.keeps for row in rows)])
        return Recalled(
            epoch=now.epoch,
            last_id=now.id,
            messages=[
                Envelope(name, row.id, row.data.encode(), row.exclude)
                for row in reversed(rows)
                if row.id > after
            ],
            is_complete=is_complete,
        )

    # --- who is there ---

    async def enter(self, name: str, key: str, shown: bytes) -> None:
        """Let somebody be in a room, by this process."""
        await self._attending.enter(name, key, shown)

    async def leave(self, name: str, key: str) -> None:
        """Let them be in it no more, as far as this process knows."""
        await self._attending.leave(name, key)

    async def present(self, name: str) -> Mapping[str, bytes]:
        """Return who is there."""
        return await self._attending.present(name)

    async def renew(self, here: Mapping[str, Sequence[str]]) -> None:
        """Let those be there that this process knows; also when others have given it up."""
        await self._attending.renew(here)
        self._forget()

    async def close(self) -> None:
        """Hear and forget nothing more."""
        self._inbox.close()
        await self.hearing.close()
        if self._forgetting is not None:
            self._forgetting.cancel()
        await self._asking.close()

    # --- hearing ---

    async def _listen(self, engine: AsyncEngine, began: Callable[[], None]) -> None:
        await listen(engine, self._channel, self._inbox.heard, began=began, ask_every_s=ASK_EVERY_S)

    async def _tell(self, word: str) -> None:
        payload = f"{ECHO} 0{rest_of(word)}"
        await self._asking.ask(statements.TELL, channel=self._channel, payload=payload)

    def _expect(self, word: str) -> asyncio.Event:
        self._word, self._word_heard = word, asyncio.Event()
        return self._word_heard

    def _is_wanted(self, name: str) -> bool:
        return name in self._wanted or name == self._word

    def _take(self, note: Note) -> None:
        if note.kind == ECHO:
            self._word_heard.set()
        elif note.kind == CHANGED:
            if self._changed is not None:
                self._changed(note.name)
        elif self.hearing.is_behind:  # it would hide what was missed before it
            self._withheld.append(note)
        elif self._deliver is not None:
            self._deliver(Envelope(note.name, note.id, note.data.encode(), note.exclude))

    async def _fetch(self, note: Note) -> Note | None:
        rows = await self._asking.ask(statements.FETCH, id=note.id)
        return note._replace(kind=FULL, data=rows[0].data) if rows else None

    def _lost(self) -> None:
        if self._missed is not None:
            self._missed()
        withheld, self._withheld = self._withheld, []
        for note in withheld:
            self._inbox.deliver(note)

    # --- what nobody asks for any more ---

    def _forget(self) -> None:
        """Delete old rows now and then; whoever writes some does it, and waits for nothing."""
        is_busy = self._forgetting is not None and not self._forgetting.done()
        if is_busy or time.monotonic() - self._forgot_at < FORGET_EVERY_S:
            return
        self._forgot_at = time.monotonic()
        self._forgetting = asyncio.create_task(
            self._forget_old(), name="channels: forget", context=Context()
        )

    async def _forget_old(self) -> None:
        try:
            while await self._asking.ask(statements.FORGET_MESSAGES):
                pass
            await self._asking.ask(statements.FORGET_PROCESSES)
        except ChannelError as error:
            logger.warning("old messages of channels stay until the next time: %s", error)
