"""Log: what this process knows of what was forgotten, and how fresh that is.

The table is the truth. A process has read it up to some line, its position. What is remembered of
a credential says at which position it was checked, and is void if a line of its user, of itself or
of everybody is newer. No clock of the wall takes part.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from ...._utils import told
from ....cache.flights import Flight, Flights
from ....exceptions import ForgeError
from ..models import Forgotten
from .principal import Identity
from .reading import reading

__all__ = ["FRESH_S", "ForgottenLog", "Line", "Listener"]

logger = logging.getLogger("fastforge.auth")

FRESH_S: Final = 0.9
"""For how long what was read is believed without a word; so a line is known within a second."""
LIMIT_S: Final = 1.0
"""How long reading may take."""
PAUSE_S: Final = 2.0
"""How long after a failure nobody who asks tries it again."""
MOST_LINES: Final = 10_000
"""So many are read at once, and so many users and credentials are told apart in memory."""


class Line(NamedTuple):
    """A line: of a user, of a credential, or of everybody."""

    id: int
    user_id: str | None
    token_id: str | None
    at: Any


Listener = Callable[[Line], None]

NEVER: Final = float("-inf")

EVERYBODY: Final = Line(0, None, None, None)


class ForgottenLog:
    """What one process knows of the log.

    Args:
        max_unconfirmed_s: For how long it is believed while it cannot be read.

    Attributes:
        position: The id of the newest line that was read.
        fresh_until: Until when it is believed without a word, on the monotonic clock.
        asked: Whether somebody has relied on it; whoever reads it in the background resets that.
        wanted: Set when somebody had to wait for it to be read.
        is_watched: Whether somebody reads it in the background.
    """

    __slots__ = (
        "_away",
        "_everybody",
        "_flights",
        "_floor",
        "_is_outdated",
        "_known",
        "_last",
        "_listeners",
        "_max_unconfirmed_s",
        "_read_at",
        "_retry_at",
        "asked",
        "fresh_until",
        "is_watched",
        "position",
        "wanted",
    )

    def __init__(self, *, max_unconfirmed_s: float) -> None:
        self.position = 0
        self.fresh_until = 0.0
        self.asked = False
        self.is_watched = False
        self.wanted = asyncio.Event()
        self._max_unconfirmed_s = max_unconfirmed_s
        self._floor = self._everybody = 0
        # By (whether it is a user, the id of the user or credential): its newest line.
        self._known: dict[tuple[bool, str], int] = {}
        self._last: Line | None = None
        self._read_at = self._retry_at = NEVER
        self._away = self._is_outdated = False
        self._flights: Flights[None] = Flights()
        self._listeners: dict[object, Listener] = {}

    # --- who asks ---

    def allows(self, identity: Identity, position: int) -> bool:
        """Return whether nothing is known that makes void what was checked at a position."""
        known = self._known
        return (
            position >= self._floor
            and position >= self._everybody
            and position >= known.get((True, str(identity.id)), 0)
            and position >= known.get((False, identity.token_id), 0)
        )

    async def confirmed(self) -> bool:
        """Return whether what is known may be relied on; read the log if it is time to."""
        self.asked = True
        now = time.monotonic()
        if now < self.fresh_until:
            return True
        self.wanted.set()
        if not (self._away and (self.is_watched or now < self._retry_at)):
            await self.read()
            if self._is_outdated:  # what was under way had begun before
                await self.read()
        return time.monotonic() < max(self.fresh_until, self._read_at + self._max_unconfirmed_s)

    def outdated(self) -> None:
        """Let the next one who asks read it: this process has just written a line."""
        self._is_outdated = True
        self.fresh_until = 0.0

    def on_forgotten(self, listener: Listener) -> Callable[[], None]:
        """Call a function with each new line, and return what ends that."""
        key = object()
        self._listeners[key] = listener

        def end() -> None:
            self._listeners.pop(key, None)

        return end

    # --- reading ---

    async def read(self) -> None:
        """Read what is new, once for all who want it; it may fail, and then nothing is newer."""
        await self._flights.run("log", self._read)

    async def _read(self, _flight: Flight[None]) -> None:
        began, self._is_outdated = time.monotonic(), False
        try:
            async with asyncio.timeout(LIMIT_S):
                lines = await self._lines()
        except Exception as error:  # whatever it is: who asks is served by what is known
            self._failed(error)
            return
        self._learn(lines)
        self._read_at = began
        if not self._is_outdated:
            self.fresh_until = began + FRESH_S
        if self._away:
            self._away = False
            logger.info("the log of revocations can be read again")

    async def _lines(self) -> Sequence[Line]:
        columns = (Forgotten.id, Forgotten.user_id, Forgotten.token_id, Forgotten.at)
        statement = sa.select(*columns).limit(MOST_LINES + 1)
        async with reading() as db:
            if self._last is not None:
                # With the last one: where it is not the same, this is another table.
                newer = statement.where(Forgotten.id >= self._last.id).order_by(Forgotten.id)
                lines = [Line(*row) for row in await db.execute(newer)]
                if lines and lines[0] == self._last and len(lines) <= MOST_LINES:
                    return lines[1:]
                self._begin_anew()
            newest = await db.execute(statement.order_by(Forgotten.id.desc()))
        return [Line(*row) for row in newest][::-1]

    def _begin_anew(self) -> None:
        """Know nothing: lines were missed, or the table is another one, such as a backup."""
        self._last = None
        self._known.clear()
        self.position = self._everybody = 0
        self._tell(EVERYBODY)

    def _learn(self, lines: Sequence[Line]) -> None:
        if self._last is None:
            # What was checked before the oldest line that is there may be void by one that is not.
            self._floor = lines[0].id - 1 if lines else 0
        for line in lines:
            self._last, self.position = line, line.id
            if line.user_id is not None:
                self._known[True, line.user_id] = line.id
            elif line.token_id is not None:
                self._known[False, line.token_id] = line.id
            else:
                self._everybody = line.id
            if self._read_at > NEVER:
                self._tell(line)
        if len(self._known) > 2 * MOST_LINES:
            self._thin_out()

    def _thin_out(self) -> None:
        """Know only the newest; what was checked before the others is checked again."""
        oldest_first = sorted(self._known.items(), key=lambda item: item[1])
        self._floor = max(self._floor, oldest_first[-MOST_LINES - 1][1])
        self._known = dict(oldest_first[-MOST_LINES:])

    def _tell(self, line: Line) -> None:
        for listener in [*self._listeners.values()]:
            try:
                listener(line)
            except Exception:
                logger.exception("what listens for revocations has failed")

    def _failed(self, error: Exception) -> None:
        self._retry_at = time.monotonic() + PAUSE_S
        if not self._away:
            self._away = True
            reason = error.message if isinstance(error, ForgeError) else told(error)
            logger.warning(
                "the log of revocations cannot be read: %s; what was checked before is believed"
                " for %g s",
                reason,
                self._max_unconfirmed_s,
            )
