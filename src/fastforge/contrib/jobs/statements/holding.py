"""Holding: due jobs that may not begin are held, and held ones become due again.

Each is one statement for any number of keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from .idiom import Bound, Idiom
from .tables import DONE, HELD, JOB, READY, is_false, is_true

__all__ = ["hold_paced", "hold_slotted", "promote_paced", "promote_slotted"]

HELD_AT_ONCE: Final = 1000
"""How many jobs with one key are held by one statement."""

_KEYS: Final = (sa.column("key", sa.Text()),)
_ROOMS: Final = (*_KEYS, sa.column("room", sa.Integer()))
_SOME: Final = JOB.alias("some")
_FOUND: Final = JOB.alias("found")


def hold_slotted(idiom: Idiom, keys: Iterable[str]) -> Bound:
    """Return the statement that holds due jobs with keys of which as many run as may."""
    return idiom.built(_hold_slotted), _keys(idiom, keys)


def _hold_slotted(idiom: Idiom) -> sa.Executable:
    # `state < 2` is said because the index of the keys says it: SQLite compares the words.
    is_due = (_SOME.c.state == READY, _SOME.c.state < DONE, _SOME.c.run_at <= idiom.now())
    return _hold(idiom, _SOME.c.slots_key, *is_due).values(state=HELD, paced=sa.false())


def hold_paced(idiom: Idiom, keys: Iterable[str]) -> Bound:
    """Return the statement that holds due jobs whose paces have no turn to give for a while."""
    return idiom.built(_hold_paced), _keys(idiom, keys)


def _hold_paced(idiom: Idiom) -> sa.Executable:
    is_due = (_SOME.c.state == READY, is_false(_SOME.c.paced), _SOME.c.run_at <= idiom.now())
    return _hold(idiom, _SOME.c.pace_key, *is_due).values(state=HELD, paced=sa.true())


def _hold(idiom: Idiom, key: Any, *conditions: sa.ColumnElement[bool]) -> sa.Update:
    # In no order: it would have to read all that wait with the key.
    given = idiom.given(_KEYS)
    some = sa.select(_SOME.c.id).where(key == given.c.key, *conditions).limit(HELD_AT_ONCE)
    if idiom.is_postgresql:
        return _fenced(given, some)
    return JOB.update().where(JOB.c.id.in_(sa.select(_FOUND.c.id).select_from(_of(given, some))))


def promote_slotted(idiom: Idiom, rooms: Mapping[str, int]) -> Bound:
    """Return the statement that makes the next held jobs with some keys due.

    Args:
        rooms: By key, how many.
    """
    return idiom.built(_promote_slotted), _rooms(idiom, rooms)


def _promote_slotted(idiom: Idiom) -> sa.Executable:
    return _promote(idiom, _SOME.c.slots_key, is_false(_SOME.c.paced))


def promote_paced(idiom: Idiom, rooms: Mapping[str, int]) -> Bound:
    """Return the statement that makes the next jobs due that were held for their paces.

    Args:
        rooms: By pace, how many.
    """
    return idiom.built(_promote_paced), _rooms(idiom, rooms)


def _promote_paced(idiom: Idiom) -> sa.Executable:
    return _promote(idiom, _SOME.c.pace_key, is_true(_SOME.c.paced))


def _promote(idiom: Idiom, key: Any, waits: sa.ColumnElement[bool]) -> sa.Executable:
    given = idiom.given(_ROOMS)
    held = sa.select(_SOME.c.id).where(key == given.c.key, waits, _SOME.c.state == HELD)
    first = held.order_by(*_in_order(_SOME))
    if idiom.is_postgresql:
        update = _fenced(given, first.limit(given.c.room))
    else:
        update = JOB.update().where(JOB.c.id.in_(_ranked(given, first)))
    return update.values(state=READY, paced=sa.false()).returning(JOB.c.id)


def _fenced(given: sa.FromClause, some: sa.Select[Any]) -> sa.Update:
    """Begin the change of some rows of each key on PostgreSQL.

    What somebody else is changing is left out: who counts must never wait for a row.
    """
    locked = some.correlate(given).with_for_update(skip_locked=True).lateral("locked")
    chosen = sa.select(locked.c.id).select_from(given.join(locked, sa.true())).cte("chosen")
    # MATERIALIZED, because the planner may else run the locking sub-select once for each row.
    fence = chosen.prefix_with("MATERIALIZED", dialect="postgresql")
    return JOB.update().where(JOB.c.id == fence.c.id)


def _of(given: sa.FromClause, some: sa.Select[Any]) -> sa.Join:
    """Join keys with some rows of each on SQLite, which has no LATERAL."""
    return given.join(_FOUND, _FOUND.c.id.in_(some.correlate(given)))


def _ranked(given: sa.FromClause, first: sa.Select[Any]) -> sa.Select[Any]:
    """Return the query for the first rows of each key on SQLite, whose LIMIT names no column.

    Of every key as many are looked at as the largest room asks for.
    """
    largest = sa.select(sa.func.max(given.c.room)).scalar_subquery()
    place = sa.func.row_number().over(partition_by=given.c.key, order_by=_in_order(_FOUND))
    placed = (
        sa.select(_FOUND.c.id, place.label("place"), given.c.room)
        .select_from(_of(given, first.limit(largest)))
        .subquery("placed")
    )
    return sa.select(placed.c.id).where(placed.c.place <= placed.c.room)


def _in_order(job: Any) -> tuple[Any, ...]:
    return job.c.priority, job.c.run_at, job.c.id


def _keys(idiom: Idiom, keys: Iterable[str]) -> dict[str, Any]:
    return idiom.rows(_KEYS, [{"key": key} for key in sorted(keys)])


def _rooms(idiom: Idiom, rooms: Mapping[str, int]) -> dict[str, Any]:
    return idiom.rows(_ROOMS, [{"key": key, "room": rooms[key]} for key in sorted(rooms)])
