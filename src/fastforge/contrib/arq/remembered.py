"""Remembered: the jobs that are dead or cancelled, as rows of the project's database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ...tasks.clock import Clock
from ...tasks.envelope import Envelope
from ...tasks.outcome import JobState
from ...tasks.records import JobQuery
from ..jobs.envelopes import envelope_of
from ..jobs.outbox import Outbox
from ..jobs.statements.tables import JOB, UNIQUE_KEY
from .flow import CHUNK, Flow
from .records import Peeked, peek
from .wire import uid_of

__all__ = ["Remembered"]

PRUNED: Final = 1000
ENDED: Final = (JobState.DEAD, JobState.CANCELLED)


class Remembered:
    """Moves what has ended badly from Redis to the database, where it is kept for long.

    Args:
        flow: The jobs in Redis.
        outbox: The rows on their way to it.
        clock: Tells the time.
        keep_dead_s: For how long dead jobs are kept, in seconds.
        keep_cancelled_s: The same for cancelled ones.
    """

    def __init__(
        self,
        flow: Flow,
        outbox: Outbox,
        clock: Clock,
        *,
        keep_dead_s: float,
        keep_cancelled_s: float,
    ) -> None:
        self._flow = flow
        self._outbox = outbox
        self._clock = clock
        self._kept = {
            JobState.DEAD: timedelta(seconds=keep_dead_s),
            JobState.CANCELLED: timedelta(seconds=keep_cancelled_s),
        }

    async def bury(self) -> None:
        """Write the rows of jobs that have ended badly; only then does Redis forget them.

        Where two workers do so at the same time, the second writes the same row again.
        """
        while buried := await self._flow.buried(CHUNK):
            found = [each for each in await peek(self._flow, buried) if each.written is not None]
            if found:
                async with self._outbox.transaction() as connection:
                    for each in found:
                        await connection.execute(_upsert(connection.dialect.name, self._row(each)))
            await self._flow.server.run("forget", *buried)

    async def free_keys(self) -> None:
        """Free the unique keys of jobs that have ended."""
        for name, for_good in (("freed", False), ("forgotten", True)):
            while uids := await self._flow.some_of(name, CHUNK):
                async with self._outbox.transaction() as connection:
                    await self._outbox.free_keys(
                        connection, [uid_of(uid) for uid in uids], for_good=for_good
                    )
                await self._flow.take_from(name, uids)

    async def prune(self) -> None:
        """Forget rows whose time is over, some at a time, and keys that are taken no longer."""
        now = self._clock.now()
        old = sa.select(JOB.c.id).where(JOB.c.state.in_(ENDED), JOB.c.keep_until < now)
        async with self._outbox.transaction() as connection:
            chosen = old.limit(PRUNED).with_for_update(skip_locked=True)
            await connection.execute(JOB.delete().where(JOB.c.id.in_(chosen)))
            await connection.execute(UNIQUE_KEY.delete().where(UNIQUE_KEY.c.until < now))

    async def begin_again(self, query: JobQuery) -> list[str]:
        """Make the rows that are meant wait to be forwarded; return their ids."""
        now = self._clock.now()
        async with self._outbox.transaction() as connection:
            chosen = meant_by(JOB.select(), query).where(JOB.c.state.in_(ENDED))
            rows = (await connection.execute(chosen.with_for_update())).all()
            uids = [row.uid for row in rows]
            # `finished_at` stays: it tells that the job has ended before.
            values = {
                "state": JobState.FORWARDING,
                "attempt": 0,
                "run_at": now,
                "worker_id": None,
                "keep_until": None,
                "cancelling": False,
            }
            await connection.execute(JOB.update().where(JOB.c.uid.in_(uids)).values(values))
            await self._outbox.take_keys(connection, map(envelope_of, rows))
        return uids

    async def discard(self, query: JobQuery) -> int:
        """Delete the rows that are meant, and free their keys."""
        async with self._outbox.transaction() as connection:
            chosen = meant_by(sa.select(JOB.c.uid), query).where(JOB.c.state.in_(ENDED))
            uids = list((await connection.execute(chosen.with_for_update())).scalars())
            await connection.execute(JOB.delete().where(JOB.c.uid.in_(uids)))
            await self._outbox.free_keys(connection, uids, for_good=True)
        return len(uids)

    async def find(self, query: JobQuery) -> Sequence[Any]:
        """Return the rows that are meant, the newest first."""
        async with self._outbox.transaction() as connection:
            rows: Sequence[Any] = (await connection.execute(meant_by(JOB.select(), query))).all()
        return rows

    async def counts(self) -> dict[tuple[str, JobState], int]:
        """Return how many rows there are, by queue and state."""
        count = sa.func.count()
        query = sa.select(JOB.c.queue, JOB.c.state, count).group_by(JOB.c.queue, JOB.c.state)
        async with self._outbox.transaction() as connection:
            rows = (await connection.execute(query.where(_ours()))).all()
        return {(queue, JobState(state)): number for queue, state, number in rows}

    def _row(self, job: Peeked) -> dict[str, Any]:
        record = job.record
        finished_at = record.finished_at or self._clock.now()
        assert job.written is not None
        return _of_envelope(job.written.envelope) | {
            "state": record.state,
            "run_at": record.run_at,
            "attempt": record.attempt,
            "worker_id": record.worker_id,
            "enqueued_at": record.enqueued_at,
            "started_at": record.started_at,
            "finished_at": finished_at,
            "keep_until": finished_at + self._kept[record.state],
            "errors": [error.to_json() for error in record.errors] or None,
            "lease_until": None,
            "progress": asdict(record.progress) if record.progress else None,
        }


def meant_by(statement: sa.Select[Any], query: JobQuery) -> sa.Select[Any]:
    """Restrict a statement to the rows of ours that are meant, the newest first."""
    conditions = [_ours()]
    for column, wanted in (
        (JOB.c.uid, query.uids),
        (JOB.c.state, query.states),
        (JOB.c.task, query.tasks),
        (JOB.c.queue, query.queues),
        (JOB.c.batch, (query.batch,) if query.batch else ()),
    ):
        if wanted:
            conditions.append(column.in_(wanted))
    if query.uid_prefix:
        # A SQLite file has them without dashes.
        plain = sa.func.replace(sa.cast(JOB.c.uid, sa.Text), "-", "")
        beginning = query.uid_prefix.replace("-", "")
        conditions.append(plain.startswith(beginning, autoescape=True))
    if query.since:
        conditions.append(JOB.c.enqueued_at >= query.since)
    if query.until:
        conditions.append(JOB.c.enqueued_at < query.until)
    found = statement.where(*conditions).order_by(JOB.c.enqueued_at.desc(), JOB.c.id.desc())
    return found if query.limit is None else found.limit(query.limit)


def _ours() -> sa.ColumnElement[bool]:
    return JOB.c.state.in_((JobState.FORWARDING, *ENDED))


def _upsert(dialect: str, row: dict[str, Any]) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = insert(JOB).values(row)
    changed = {name: value for name, value in row.items() if name != "uid"}
    return statement.on_conflict_do_update(index_elements=[JOB.c.uid], set_=changed)


def _of_envelope(envelope: Envelope) -> dict[str, Any]:
    unique, slots, pace = envelope.unique, envelope.slots, envelope.pace
    return {
        "uid": envelope.uid,
        "task": envelope.task,
        "queue": envelope.queue,
        "version": envelope.version,
        "payload": dict(envelope.payload),
        "headers": dict(envelope.headers),
        "priority": envelope.priority,
        "max_attempts": envelope.max_attempts,
        "expires_at": envelope.expires_at,
        "unique_key": unique.key if unique else None,
        "slots_key": slots.key if slots else None,
        "slots_limit": slots.limit if slots else None,
        "pace_key": pace.key if pace else None,
        "pace_limit": pace.limit if pace else None,
        "pace_per_s": pace.per_s if pace else None,
        "batch": envelope.batch,
    }
