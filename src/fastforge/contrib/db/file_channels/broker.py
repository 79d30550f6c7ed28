"""Channels: a broker in a SQLite file, for the processes of one machine."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from ....channels.carrying.broker import Envelope, Kept, Recalled
from . import work
from .file import File
from .looking import Looking
from .work import Attending, Place, Row, Saying

__all__ = ["FileBroker"]

T = TypeVar("T")

FORGET_EVERY_S: Final = 30.0


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
        self._here: dict[Place, str] = {}
        self._looking = Looking(file, take=self._take, lost=self._lost)
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
        saying = Saying(name=name, data=data.decode(), exclude=exclude, kept=kept)
        return await self._write(partial(work.publish, saying=saying))

    async def recall(
        self, name: str, *, after: int | None, epoch: str, kept: Kept | None
    ) -> Recalled:
        """Return what came after an id. It writes nothing: whoever asks may be writing the file."""
        if after is None or kept is None:
            stand = await self._file.read(work.stand)
            return Recalled(epoch=stand.epoch, last_id=stand.last_id)
        stand, rows, is_complete = await self._file.read(
            partial(work.read_history, name=name, after=after)
        )
        if epoch != stand.epoch or after > stand.last_id:
            return Recalled(epoch=stand.epoch, last_id=stand.last_id)
        return Recalled(
            epoch=stand.epoch,
            last_id=stand.last_id,
            messages=[_envelope(row) for row in rows],
            is_complete=is_complete,
        )

    # --- who is there ---

    async def enter(self, name: str, key: str, shown: bytes) -> None:
        """Let somebody be in a room, by this process."""
        self._here[name, key] = shown.decode()
        await self._write(partial(work.enter, who=self._attending(name, key, shown.decode())))

    async def leave(self, name: str, key: str) -> None:
        """Let them be in it no more, as far as this process knows."""
        self._here.pop((name, key), None)
        await self._write(partial(work.leave, who=self._attending(name, key)))

    async def present(self, name: str) -> Mapping[str, bytes]:
        """Return who is there."""
        found = await self._file.read(partial(work.present, name=name))
        return {key: shown.encode() for key, shown in found.items()}

    async def renew(self, here: Mapping[str, Sequence[str]]) -> None:
        """Let those be there that this process knows; also when others have given it up."""
        known = {(name, key) for name, keys in here.items() for key in keys}
        self._here = {place: shown for place, shown in self._here.items() if place in known}
        await self._write(partial(work.renew, process=self._process, here=dict(self._here)))

    async def close(self) -> None:
        """Look for nothing more."""
        await self._looking.close()
        await self._file.close()

    def _attending(self, name: str, key: str, shown: str = "") -> Attending:
        return Attending(name=name, key=key, process=self._process, shown=shown)

    async def _write(self, piece: Callable[[sqlite3.Connection], T]) -> T:
        """Write, and now and then delete what nobody asks for any more; whoever writes does it."""
        is_due = time.monotonic() - self._forgot_at > FORGET_EVERY_S

        def run(connection: sqlite3.Connection) -> tuple[T, bool]:
            return piece(connection), is_due and work.forget(connection)

        found, has_forgotten = await self._file.write(run)
        if has_forgotten:
            self._forgot_at = time.monotonic()
        self._looking.soon()
        return found

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


def _envelope(row: Row) -> Envelope:
    number, name, exclude, data = row
    return Envelope(name, number, data.encode(), exclude)
