"""Admission: which of the jobs that were just claimed may begin, and what the others wait for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ...tasks.outcome import JobState
from .enqueueing import Executes
from .envelopes import has_limits
from .statements import holding, limiting
from .statements.idiom import Idiom

__all__ = ["Admission", "Standing", "admit", "decide", "lock", "turns_left"]

LONGEST_TURN: Final = timedelta(seconds=60)
"""How far ahead jobs are given their turn. Those behind are held, so that a change of the rate
counts for them and whoever is more urgent does not come after all of them."""
PUNCTUAL: Final = timedelta(seconds=1)
"""How late a job may be in its turn, at least."""
MOST_PROMOTED: Final = 20_000
"""How many held jobs become due at once, at most."""


@dataclass(slots=True, kw_only=True)
class Standing:
    """What counts for claimed jobs that have limits.

    Attributes:
        running: By the key of slots, how many other jobs run.
        next_at: By the key of a pace, the next turn that it gives.
        now: What time it is; None where no pace counts.
    """

    running: Counter[str] = field(default_factory=Counter)
    next_at: dict[str, datetime] = field(default_factory=dict)
    now: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Admission:
    """What became of claimed jobs.

    Attributes:
        begin: Those that may begin.
        away: How the others wait, as `turn_away` takes it.
        full_slots: The keys of which no more may run.
        full_paces: The paces that have no turn to give for a while.
        next_at: The next turns of paces that have given some.
        room: How many more turns paces have to give, where nobody here is left to take them.
    """

    begin: list[Any] = field(default_factory=list)
    away: list[dict[str, Any]] = field(default_factory=list)
    full_slots: set[str] = field(default_factory=set)
    full_paces: set[str] = field(default_factory=set)
    next_at: dict[str, datetime] = field(default_factory=dict)
    room: dict[str, int] = field(default_factory=dict)


async def admit(idiom: Idiom, connection: Executes, rows: Sequence[Any]) -> list[Any]:
    """Return those of the rows just claimed that may begin; the others wait on.

    Rows without limits cost nothing. For the others their keys are locked: whoever else has
    claimed such jobs counts them after this transaction, and this one after theirs.
    """
    if not any(map(has_limits, rows)):
        return list(rows)
    admission = decide(rows, await _standing(idiom, connection, rows))
    if admission.next_at:
        await connection.execute(*limiting.set_paces(idiom, admission.next_at))
    if admission.away:
        await connection.execute(*limiting.turn_away(idiom, admission.away))
    if admission.full_slots:
        await connection.execute(*holding.hold_slotted(idiom, admission.full_slots))
    if admission.full_paces:
        await connection.execute(*holding.hold_paced(idiom, admission.full_paces))
    if rooms := {key: room for key, room in admission.room.items() if room}:
        await connection.execute(*holding.promote_paced(idiom, rooms))
    return admission.begin


async def lock(
    idiom: Idiom, connection: Executes, *, slots: Sequence[str] = (), paces: Sequence[str] = ()
) -> None:
    """Let nobody else count the jobs with some keys; on SQLite nobody else writes anyway."""
    keys = [*(f"slots:{key}" for key in slots), *(f"pace:{key}" for key in paces)]
    if idiom.is_postgresql and keys:
        await connection.execute(limiting.lock_keys(keys))


def decide(rows: Sequence[Any], standing: Standing) -> Admission:
    """Return what becomes of claimed jobs, the first ones first."""
    admission = Admission()
    running = Counter(standing.running)
    for row in rows:
        if row.slots_key is not None and running[row.slots_key] >= row.slots_limit:
            admission.full_slots.add(row.slots_key)
            admission.away.append({"id": row.id, "state": JobState.HELD.value, "paced": False})
        elif row.pace_key is None or _has_turn(row, standing, admission):
            admission.begin.append(row)
            if row.slots_key is not None:
                running[row.slots_key] += 1
    paces = {row.pace_key: _gap_s(row) for row in rows if row.pace_key is not None}
    for key in paces.keys() - admission.full_paces:
        next_at = admission.next_at.get(key) or standing.next_at.get(key)
        admission.room[key] = turns_left(standing.now, next_at, paces[key])
    return admission


def turns_left(now: datetime | None, next_at: datetime | None, gap_s: float) -> int:
    """Return how many turns a pace can give from now on that are a minute ahead at most."""
    if now is None:
        return 0
    left = now + LONGEST_TURN - max(now, next_at or now)
    return min(max(int(left.total_seconds() // gap_s) + 1, 0), MOST_PROMOTED)


def _gap_s(row: Any) -> float:
    return float(row.pace_per_s / row.pace_limit)


def _has_turn(row: Any, standing: Standing, admission: Admission) -> bool:
    """Return whether a job may begin by its pace; else it is given a later turn, or held."""
    now = standing.now
    assert now is not None
    gap = timedelta(seconds=_gap_s(row))
    if row.paced and now - row.run_at <= max(gap, PUNCTUAL):
        return True  # later its turn is over: else all that were missed would begin together
    known = admission.next_at.get(row.pace_key) or standing.next_at.get(row.pace_key)
    turn = max(known or now, now)
    if turn > now + LONGEST_TURN:
        admission.full_paces.add(row.pace_key)
        admission.away.append({"id": row.id, "state": JobState.HELD.value, "paced": True})
        return False
    admission.next_at[row.pace_key] = turn + gap
    if turn > now:
        state = JobState.READY.value
        admission.away.append({"id": row.id, "state": state, "paced": True, "run_at": turn})
    return turn <= now


async def _standing(idiom: Idiom, connection: Executes, rows: Sequence[Any]) -> Standing:
    mine = Counter(row.slots_key for row in rows if row.slots_key is not None)
    paces = sorted({row.pace_key for row in rows if row.pace_key is not None})
    await lock(idiom, connection, slots=list(mine), paces=paces)
    standing = Standing()
    if mine:
        for row in await connection.execute(*limiting.running(idiom, mine)):
            standing.running[row.key] = row.running - mine[row.key]
    for row in await connection.execute(*limiting.turns(idiom, paces)) if paces else ():
        standing.now = row.now
        if row.next_at is not None:
            standing.next_at[row.key] = row.next_at
    return standing
