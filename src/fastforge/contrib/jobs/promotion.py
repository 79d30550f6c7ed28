"""Promotion: held jobs become due again, when one with their key has ended or time has passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .admission import lock, turns_left
from .enqueueing import Executes
from .statements import holding, limiting
from .statements.enqueueing import wake
from .statements.idiom import Bound, Idiom

__all__ = ["Sweep", "promote_freed"]


async def promote_freed(idiom: Idiom, connection: Executes, rows: Sequence[Any]) -> None:
    """Let the next held jobs be due in place of some that do not run any more.

    Args:
        rows: Those that do not run, with `slots_key` and `slots_limit`.
    """
    freed = Counter(row.slots_key for row in rows if row.slots_key is not None)
    limits = {row.slots_key: row.slots_limit for row in rows}
    if freed:
        await _promote_slotted(idiom, connection, freed, limits)


async def _promote_slotted(
    idiom: Idiom, connection: Executes, wanted: Mapping[str, int], limits: Mapping[str, int]
) -> None:
    """Promote so many held jobs of each key, and no more than may run."""
    await lock(idiom, connection, slots=list(wanted))
    counted = (await connection.execute(*limiting.running(idiom, wanted))).all()
    room = {row.key: min(wanted[row.key], limits[row.key] - row.running) for row in counted}
    held = {row.key for row in counted if row.held}
    await _promote(idiom, connection, holding.promote_slotted, {key: room[key] for key in held})


async def _promote(
    idiom: Idiom,
    connection: Executes,
    promote: Callable[[Idiom, Mapping[str, int]], Bound],
    rooms: Mapping[str, int],
) -> None:
    """Promote so many jobs of each key by one statement, and wake who may take them."""
    rooms = {key: room for key, room in rooms.items() if room > 0}
    if not rooms:
        return
    promoted = (await connection.execute(*promote(idiom, rooms))).all()
    if promoted and idiom.is_postgresql:
        await connection.execute(wake())


class Sweep:
    """Looks through the keys of held jobs, some at each tick, and promotes what was missed.

    A worker that vanishes, or a limit that is raised, leaves room that nobody's end gives back.

    Args:
        idiom: How statements are written.
    """

    def __init__(self, idiom: Idiom) -> None:
        self._idiom = idiom
        self._last_key = ""
        self._last_pace = ""

    async def slots(self, connection: Executes) -> None:
        """Promote held jobs of the next keys that have room."""
        idiom = self._idiom
        found = (await connection.execute(*limiting.keys_held(idiom, self._last_key))).all()
        self._last_key = found[-1].key if len(found) >= limiting.KEYS_SWEPT else ""
        limits = {row.key: row.most for row in found if row.most is not None}
        if limits:
            await _promote_slotted(idiom, connection, limits, limits)

    async def paces(self, connection: Executes) -> None:
        """Promote jobs of the next paces that can be given a turn within a minute."""
        idiom = self._idiom
        found = (await connection.execute(*limiting.paces_held(idiom, self._last_pace))).all()
        self._last_pace = found[-1].key if len(found) >= limiting.KEYS_SWEPT else ""
        gaps = {row.key: row.gap_s for row in found if row.gap_s is not None}
        if not gaps:
            return
        await lock(idiom, connection, paces=list(gaps))
        turns = (await connection.execute(*limiting.turns(idiom, gaps))).all()
        rooms = {row.key: turns_left(row.now, row.next_at, gaps[row.key]) for row in turns}
        await _promote(idiom, connection, holding.promote_paced, rooms)
