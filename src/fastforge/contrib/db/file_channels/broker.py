"""Channels: a broker in a SQLite file, for the processes of one machine."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ....channels.broker import Envelope, Kept, Recalled
from . import statements
from .file import File, Writing
from .looking import Looking, Row

__all__ = ["FileBroker"]

CARRIED_S: Final = 60.0
"""How long a message is there to be found by a process that is busy."""
LEASE_S: Final = 30.0
"""How long those are there whom a process has told of, unless it tells again."""
FORGET_EVERY_S: Final = 30.0
MOST_ROOMS: Final = 10_000
"""Of how many rooms it is known how much of their history is gone; of others, together."""


class FileBroker:
    """Writes every message into a table, into which every process looks.

    Args:
        file: The database.

    Attributes:
        hearing: None: whether the file can be read the database's own readiness tells.
    """

    hearing: Final = None
    reaches_other_processes: Final = True

    def __init__(self, file: File) -> None:
        self._file = file
        self._changed: Callable[[str], None] | None = None
        self._deliver: Callable[[Envelope], None] | None = None
        self._missed: Callable[[], None] | None = None
        self._forgot_at = time.monotonic()
        self._here: dict[tuple[str, str], str] = {}
        self._looking = Looking(file, take=self._take, lost=self._lost, longest_away_s=CARRIED_S)
        self._process = secrets.token_hex(8)
        self._wanted: set[str] = set()

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
            ChannelUnavailable: The file cannot be read.
        """
        await self._looking.begin()
        self._wanted.add(name)

    def unsubscribe(self, name: str) -> None:
        """Let them come in no more."""
        self._wanted.discard(name)

    async def publish(self, name: str, data: bytes, *, exclude: str, kept: Kept | None) -> int:
        """Write a message, and let a history that is full forget its oldest."""
        now = time.time()
        kept_until = 0.0 if kept is None else now + kept.ttl_s
        async with self._file.writing() as writing:
            ((number,),) = await writing.run(
                statements.PUBLISH,
                name=name,
                exclude=exclude,
                data=data.decode(),
                kept_until=kept_until,
                expires_at=max(kept_until, now + CARRIED_S),
            )
            if kept is not None:
                await _trim(writing, name, kept.count)
            await self._forget(writing, now)
        self._looking.soon()
        return int(number)

    async def recall(
        self, name: str, *, after: int | None, epoch: str, kept: Kept | None
    ) -> Recalled:
        """Return what came after an id."""
        stand, floor, last_id = await self._stand()
        if after is None or kept is None or epoch != stand or after > last_id:
            return Recalled(epoch=stand, last_id=last_id)
        now = time.time()
        rows = await self._file.read(statements.READ, name=name, after=after, now=now)
        # Read last: what has gone meanwhile counts as gone.
        ((sunk,),) = await self._file.read(statements.FLOOR, name=name, now=now)
        messages = [_envelope(row) for row in rows if row[0] <= last_id]
        return Recalled(
            epoch=stand,
            last_id=last_id,
            messages=messages,
            is_complete=after >= max(floor, sunk),
        )

    # --- who is there ---

    async def enter(self, name: str, key: str, shown: bytes) -> None:
        """Let somebody be in a room, by this process."""
        self._here[name, key] = shown.decode()
        async with self._file.writing() as writing:
            await writing.run(statements.ENTER, **self._attendance(name, key))
            await _tell(writing, name)
        self._looking.soon()

    async def leave(self, name: str, key: str) -> None:
        """Let them be in it no more, as far as this process knows."""
        self._here.pop((name, key), None)
        async with self._file.writing() as writing:
            await writing.run(statements.LEAVE, name=name, key=key, process=self._process)
            await _tell(writing, name)
        self._looking.soon()

    async def present(self, name: str) -> Mapping[str, bytes]:
        """Return who is there."""
        rows = await self._file.read(statements.PRESENT, name=name, now=time.time())
        return {key: shown.encode() for key, shown in rows}

    async def renew(self, here: Mapping[str, Sequence[str]]) -> None:
        """Let those be there that this process knows; also when others have given it up."""
        known = {(name, key) for name, keys in here.items() for key in keys}
        self._here = {place: shown for place, shown in self._here.items() if place in known}
        now = time.time()
        async with self._file.writing() as writing:
            rows = await writing.run(statements.ALIVE, process=self._process, now=now)
            gone = {(name, key) for name, key in rows} - self._here.keys()
            await writing.run_each(
                statements.LEAVE,
                [{"name": name, "key": key, "process": self._process} for name, key in gone],
            )
            await writing.run_each(
                statements.ENTER, [self._attendance(name, key) for name, key in self._here]
            )
            await self._forget(writing, now)

    async def close(self) -> None:
        """Look for nothing more."""
        await self._looking.close()
        await self._file.close()

    def _attendance(self, name: str, key: str) -> dict[str, object]:
        return {
            "name": name,
            "key": key,
            "process": self._process,
            "shown": self._here[name, key],
            "until": time.time() + LEASE_S,
        }

    # --- what comes in ---

    def _take(self, row: Row) -> None:
        envelope = _envelope(row)
        if envelope.name not in self._wanted:
            return
        if envelope.data:
            if self._deliver is not None:
                self._deliver(envelope)
        elif self._changed is not None:
            self._changed(envelope.name)

    def _lost(self) -> None:
        if self._missed is not None:
            self._missed()

    async def _stand(self) -> tuple[str, int, int]:
        rows = await self._file.read(statements.STAND)
        if not rows:
            async with self._file.writing() as writing:
                await writing.run(statements.START, epoch=secrets.token_hex(4))
            rows = await self._file.read(statements.STAND)
        ((epoch, floor, last_id),) = rows
        return epoch, floor, last_id

    async def _forget(self, writing: Writing, now: float) -> None:
        """Delete what nobody asks for any more, now and then; whoever writes does it."""
        if time.monotonic() - self._forgot_at < FORGET_EVERY_S:
            return
        self._forgot_at = time.monotonic()
        gone = await writing.run(statements.EXPIRED, now=now)
        await writing.run_each(
            statements.SUNK, [{"name": name, "floor": floor} for name, floor in gone]
        )
        await writing.run(statements.EXPIRE, now=now)
        await writing.run(statements.FORGET_ATTENDANCE, now=now)
        forgotten = await writing.run(statements.FORGET_ROOMS, most=MOST_ROOMS)
        if forgotten:
            await writing.run(statements.START, epoch=secrets.token_hex(4))
            await writing.run(statements.SINK_ALL, floor=max(floor for (floor,) in forgotten))


async def _trim(writing: Writing, name: str, count: int) -> None:
    for (number,) in await writing.run(statements.TRIMMED, name=name, count=count):
        await writing.run(statements.TRIM, name=name, id=number)
        await writing.run(statements.SUNK, name=name, floor=number)


async def _tell(writing: Writing, name: str) -> None:
    """Tell that somebody came to a room, or went: a message without any data."""
    expires_at = time.time() + CARRIED_S
    await writing.run(
        statements.PUBLISH, name=name, exclude="", data="", kept_until=0.0, expires_at=expires_at
    )


def _envelope(row: Any) -> Envelope:
    number, name, exclude, data = row
    return Envelope(name, number, data.encode(), exclude)
