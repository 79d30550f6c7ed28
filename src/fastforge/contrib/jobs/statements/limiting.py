"""Limiting: how jobs are counted that share a key, and turned away or let in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import sqlalchemy as sa

from .idiom import Bound, Idiom
from .tables import DONE, HELD, JOB, PACING, RUNNING, is_false, is_true

__all__ = [
    "KEYS_SWEPT",
    "keys_held",
    "lock_keys",
    "paces_held",
    "running",
    "set_paces",
    "turn_away",
    "turns",
]

KEYS_SWEPT: Final = 100

_KEY: Final = sa.column("key", sa.Text())
_TURNED: Final = (JOB.c.id, JOB.c.state, JOB.c.run_at, JOB.c.paced)


def lock_keys(keys: Iterable[str]) -> sa.Executable:
    """Return PostgreSQL's statement after which nobody else counts jobs with these keys.

    Until the transaction ends. The locks are taken in one order, so that no two transactions that
    take theirs once wait for each other.
    """
    numbers = sorted({_number(key) for key in keys})
    each = sa.func.unnest(sa.literal(numbers, sa.ARRAY(sa.BigInteger()))).column_valued("key")
    return sa.select(sa.func.pg_advisory_xact_lock(each))


def running(idiom: Idiom, keys: Iterable[str]) -> Bound:
    """Return the query for how many jobs run with each of some keys, and whether others wait."""
    return idiom.built(_running), idiom.rows((_KEY,), [{"key": key} for key in keys])


def _running(idiom: Idiom) -> sa.Executable:
    given = idiom.given((_KEY,))
    # `state < 2` is said because the index says it: SQLite compares the words.
    runs = (JOB.c.slots_key == given.c.key, JOB.c.state == RUNNING, JOB.c.state < DONE)
    count = sa.select(sa.func.count()).where(*runs)
    held = sa.exists().where(
        JOB.c.slots_key == given.c.key, JOB.c.state == HELD, is_false(JOB.c.paced)
    )
    return sa.select(
        given.c.key,
        count.correlate(given).scalar_subquery().label("running"),
        held.correlate(given).label("held"),
    )


def turns(idiom: Idiom, keys: Iterable[str]) -> Bound:
    """Return the query for the next turn of each of some paces, and for the time now."""
    return idiom.built(_turns), idiom.rows((_KEY,), [{"key": key} for key in keys])


def _turns(idiom: Idiom) -> sa.Executable:
    given = idiom.given((_KEY,))
    joined = given.outerjoin(PACING, PACING.c.key == given.c.key)
    query = sa.select(given.c.key, PACING.c.next_at, idiom.now().label("now"))
    return query.select_from(joined)


def set_paces(idiom: Idiom, next_at: Mapping[str, datetime]) -> Bound:
    """Return the statement that notes the next turn of paces."""
    rows = [{"key": key, "next_at": next_at[key]} for key in sorted(next_at)]
    return idiom.built(_set_paces), idiom.rows((PACING.c.key, PACING.c.next_at), rows)


def _set_paces(idiom: Idiom) -> sa.Executable:
    given = idiom.given((PACING.c.key, PACING.c.next_at))
    query = sa.select(given.c.key, given.c.next_at).where(sa.true())
    statement = idiom.insert(PACING).from_select(["key", "next_at"], query)
    return statement.on_conflict_do_update(
        index_elements=[PACING.c.key], set_={"next_at": statement.excluded.next_at}
    )


def turn_away(idiom: Idiom, rows: Sequence[Mapping[str, Any]]) -> Bound:
    """Return the statement by which jobs that were just claimed wait on, uncounted.

    Args:
        rows: Their `id`, the `state` in which they wait, `paced`, and `run_at` where it changes.
    """
    return idiom.built(_turn_away), idiom.rows(_TURNED, rows)


def _turn_away(idiom: Idiom) -> sa.Executable:
    given = idiom.given(_TURNED)
    return (
        JOB.update()
        .where(JOB.c.id == given.c.id)
        .values(
            state=given.c.state,
            run_at=sa.func.coalesce(given.c.run_at, JOB.c.run_at),
            paced=given.c.paced,
            attempt=JOB.c.attempt - 1,
            worker_id=None,
            lease_until=None,
            started_at=None,
        )
    )


def keys_held(idiom: Idiom, after: str) -> Bound:
    """Return the query for some of the keys that held jobs wait for, and their limits."""
    return idiom.built(_keys_held), {"after": after}


def _keys_held(idiom: Idiom) -> sa.Executable:
    keys = _distinct(JOB.c.slots_key, is_false(JOB.c.paced))
    first = JOB.alias("first")
    limit = (
        sa.select(first.c.slots_limit)
        .where(first.c.slots_key == keys.c.key, first.c.state == HELD, is_false(first.c.paced))
        .limit(1)
        .correlate(keys)
        .scalar_subquery()
    )
    return sa.select(keys.c.key, limit.label("most")).where(keys.c.key.is_not(None))


def paces_held(idiom: Idiom, after: str) -> Bound:
    """Return the query for some of the paces that held jobs wait for, and for their rates."""
    return idiom.built(_paces_held), {"after": after}


def _paces_held(idiom: Idiom) -> sa.Executable:
    keys = _distinct(JOB.c.pace_key, is_true(JOB.c.paced))
    first = JOB.alias("first")
    gap = (
        sa.select(first.c.pace_per_s / first.c.pace_limit)
        .where(first.c.pace_key == keys.c.key, first.c.state == HELD, is_true(first.c.paced))
        .limit(1)
        .correlate(keys)
        .scalar_subquery()
    )
    return sa.select(keys.c.key, gap.label("gap_s")).where(keys.c.key.is_not(None))


def _distinct(column: Any, condition: sa.ColumnElement[bool]) -> sa.CTE:
    """Return the next different values of a column among held jobs, each by one look."""
    held = (JOB.c.state == HELD, condition)
    begin = sa.select(
        sa.func.min(column).label("key"), sa.literal_column("1", sa.Integer()).label("place")
    ).where(*held, column > sa.bindparam("after", type_=sa.Text()))
    keys = begin.cte("keys", recursive=True)
    then = (
        sa.select(sa.func.min(column)).where(*held, column > keys.c.key).correlate(keys)
    ).scalar_subquery()
    more = sa.select(then, keys.c.place + 1)
    return keys.union_all(more.where(keys.c.key.is_not(None), keys.c.place < KEYS_SWEPT))


def _number(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)
