"""Enqueueing: how jobs, the keys that they take and their batch are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from ....tasks.backend import NewBatch
from ....tasks.envelope import Envelope
from ....tasks.outcome import JobState
from ..envelopes import envelope_to_json
from .idiom import Bound, Columns, Idiom
from .tables import BATCH, CHANNEL, JOB, UNIQUE_KEY

__all__ = ["insert_batch", "insert_jobs", "keys_taken", "take_keys", "take_over", "wake"]

_Insert = TypeVar("_Insert", bound=sa.Insert)

_PLAIN: Final = (
    *(JOB.c.uid, JOB.c.task, JOB.c.queue, JOB.c.version, JOB.c.payload, JOB.c.headers),
    *(JOB.c.priority, JOB.c.run_at, JOB.c.max_attempts, JOB.c.expires_at, JOB.c.unique_key),
    *(JOB.c.slots_key, JOB.c.slots_limit, JOB.c.pace_key, JOB.c.pace_limit, JOB.c.pace_per_s),
    JOB.c.batch,
)
"""The columns that are as the envelope says."""


def insert_jobs(
    idiom: Idiom, envelopes: Iterable[Envelope], *, state: JobState = JobState.READY
) -> Bound:
    """Return the statement that keeps jobs.

    In the state READY it wakes the workers when its transaction commits. On their way elsewhere
    jobs may come twice: when a process dies before it has noted that they have gone.
    """
    rows = [_row(idiom, envelope) for envelope in envelopes]
    statement = idiom.built(_insert_and_wake if state is JobState.READY else _insert_unless_there)
    return statement, {"state": state.value, **idiom.rows(_columns(idiom), rows)}


def _insert_and_wake(idiom: Idiom) -> sa.Executable:
    statement = _insert(idiom)
    if not idiom.is_postgresql:
        return statement
    # In the same round trip; PostgreSQL delivers it once, when the transaction commits.
    return statement.returning(sa.func.pg_notify(CHANNEL, ""))


def _insert_unless_there(idiom: Idiom) -> sa.Executable:
    return _filled(idiom, idiom.insert(JOB)).on_conflict_do_nothing(index_elements=[JOB.c.uid])


def _insert(idiom: Idiom) -> sa.Insert:
    return _filled(idiom, JOB.insert())


def _filled(idiom: Idiom, insert: _Insert) -> _Insert:
    given = idiom.given(_columns(idiom))
    values: dict[str, Any] = {each.name: given.c[each.name] for each in _PLAIN}
    values |= {
        "state": sa.bindparam("state", type_=sa.SmallInteger()),
        "attempt": sa.literal_column("0", sa.SmallInteger()),
        "enqueued_at": idiom.now(),
        "run_at": sa.func.coalesce(given.c.run_at, idiom.moment(given.c.due_in)),
    }
    # SQLite takes `ON` for that of a join, unless the query has a WHERE.
    return insert.from_select(list(values), sa.select(*values.values()).where(sa.true()))


def _columns(idiom: Idiom) -> Columns:
    return (*_PLAIN, idiom.column_in_s("due_in"))


def wake() -> sa.Executable:
    """Return the statement that wakes PostgreSQL's workers when its transaction commits."""
    return sa.select(sa.func.pg_notify(CHANNEL, ""))


def insert_batch(idiom: Idiom, batch: NewBatch, jobs: int) -> sa.Executable:
    """Return the statement that notes a batch of so many jobs."""
    return BATCH.insert().values(
        uid=batch.uid,
        total=jobs,
        pending=jobs,
        failed=0,
        then=envelope_to_json(batch.then) if batch.then and jobs else None,
        enqueued_at=idiom.now(),
        finished_at=None if jobs else idiom.now(),
    )


def take_keys(idiom: Idiom, takers: Mapping[str, Envelope]) -> Bound:
    """Return the statement that takes those keys that are free, and tells which.

    One that another transaction has just taken is waited for: when that rolls back it is free.

    Args:
        takers: By its key, the job that wants it.
    """
    rows = [
        {"key": key, "uid": takers[key].uid, "lasts": idiom.in_s(_lasts_s(takers[key]))}
        for key in sorted(takers)  # in one order, or two transactions could wait for each other
    ]
    return idiom.built(_take_keys), idiom.rows(_key_columns(idiom), rows)


def _take_keys(idiom: Idiom) -> sa.Executable:
    given = idiom.given(_key_columns(idiom))
    # SQLite takes `ON` for that of a join, unless the query has a WHERE.
    query = sa.select(given.c.key, given.c.uid, idiom.moment(given.c.lasts)).where(sa.true())
    statement = idiom.insert(UNIQUE_KEY).from_select(["key", "uid", "until"], query)
    return statement.on_conflict_do_nothing().returning(UNIQUE_KEY.c.key)


def _key_columns(idiom: Idiom) -> Columns:
    return UNIQUE_KEY.c.key, UNIQUE_KEY.c.uid, idiom.column_in_s("lasts")


def keys_taken(idiom: Idiom, keys: Iterable[str]) -> sa.Executable:
    """Return the query for who takes some keys, and whether the time of that is over."""
    is_over = sa.func.coalesce(UNIQUE_KEY.c.until <= idiom.now(), sa.false()).label("is_over")
    query = sa.select(UNIQUE_KEY.c.key, UNIQUE_KEY.c.uid, is_over)
    return query.where(idiom.among(UNIQUE_KEY.c.key, keys))


def take_over(idiom: Idiom, envelope: Envelope, key: str) -> sa.Executable:
    """Return the statement that takes a key whose time is over, and tells whether it did."""
    lasts_s = _lasts_s(envelope)
    until = None if lasts_s is None else idiom.later(timedelta(seconds=lasts_s))
    return (
        UNIQUE_KEY.update()
        .where(UNIQUE_KEY.c.key == key, UNIQUE_KEY.c.until <= idiom.now())
        .values(uid=envelope.uid, until=until)
        .returning(UNIQUE_KEY.c.key)
    )


def _lasts_s(envelope: Envelope) -> float | None:
    return None if envelope.unique is None else envelope.unique.for_s


def _row(idiom: Idiom, envelope: Envelope) -> dict[str, Any]:
    slots, pace, unique = envelope.slots, envelope.pace, envelope.unique
    return {
        "uid": envelope.uid,
        "task": envelope.task,
        "queue": envelope.queue,
        "version": envelope.version,
        "payload": envelope.payload,
        "headers": envelope.headers,
        "priority": envelope.priority,
        "run_at": envelope.run_at,
        "due_in": None if envelope.run_at else idiom.in_s(envelope.delay_s),
        "max_attempts": envelope.max_attempts,
        "expires_at": envelope.expires_at,
        "unique_key": unique and unique.key,
        "slots_key": slots and slots.key,
        "slots_limit": slots and slots.limit,
        "pace_key": pace and pace.key,
        "pace_limit": pace and pace.limit,
        "pace_per_s": pace and pace.per_s,
        "batch": envelope.batch,
    }
