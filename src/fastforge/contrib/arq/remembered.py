"""Remembered: the jobs that are dead or cancelled, as rows of the project's database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import timedelta
from itertools import count
from typing import Any, Final, cast

import sqlalchemy as sa

from ...tasks.clock import Clock
from ...tasks.envelope import Envelope
from ...tasks.outcome import JobState
from ...tasks.records import JobQuery, JobRecord
from ..jobs.enqueueing import Executes
from ..jobs.envelopes import envelope_of
from ..jobs.outbox import Outbox
from ..jobs.rows import record_of
from ..jobs.statements import asking, pruning
from ..jobs.statements.idiom import Idiom
from ..jobs.statements.settling import Retention
from ..jobs.statements.tables import JOB
from .calls import CHUNK
from .flow import Flow
from .moments import microseconds
from .records import Peeked, peek
from .wire import uid_of

__all__ = ["Remembered"]

ENDED: Final = (JobState.DEAD, JobState.CANCELLED)


class _Late(Exception):
    """Somebody else has written the rows of a burial meanwhile: it is undone."""


class Remembered:
    """Moves what has ended badly from Redis to the database, where it is kept for long.

    Args:
        flow: The jobs in Redis.
        outbox: The rows on their way to it.
        clock: Tells the time.
        kept: For how long ended jobs are kept.
    """

    def __init__(
        self,
        flow: Flow,
        outbox: Outbox,
        clock: Clock,
        kept: Retention,
    ) -> None:
        self._flow = flow
        self._outbox = outbox
        self._clock = clock
        self._kept = kept
        self._turn = count()

    async def bury(self) -> None:
        """Write the rows of jobs that have ended badly; only then does Redis forget them.

        Several workers may do so at the same time, and one of them late: the others have written
        the rows by then, and somebody may have told the jobs to begin again. So a row that tells
        of the same end is left as it is, and what was written is undone unless Redis still knows
        of all these ends: as long as the transaction runs, nobody else can change what it wrote.
        """
        with suppress(_Late):
            while uids := await self._flow.buried(CHUNK):
                ends_us = await self._write(await peek(self._flow, uids))
                pairs = [part for uid in uids for part in (uid, ends_us.get(uid, ""))]
                await self._flow.server.run("forget", *pairs)

    async def _write(self, jobs: Sequence[Peeked]) -> dict[str, int]:
        """Write rows; returns the ends of their jobs, in microseconds, by their key."""
        ends = {job.key: job.record.finished_at for job in jobs}
        ends_us = {key: microseconds(end) for key, end in ends.items() if end is not None}
        async with self._outbox.transaction() as connection:
            for job in jobs:
                await connection.execute(_upsert(self._outbox.idiom, self._row(job)))
            if not await self._flow.are_buried(ends_us):
                raise _Late
        return ends_us

    async def free_keys(self) -> None:
        """Free the unique keys of jobs that have ended.

        As with a burial, some of them may have begun again since somebody read which they are.
        """
        with suppress(_Late):
            for name, for_good in (("freed", False), ("forgotten", True)):
                while keys := await self._flow.some_of(name, CHUNK):
                    await self._free(name, keys, for_good=for_good)
                    await self._flow.take_from(name, keys)

    async def _free(self, name: str, keys: Sequence[str], *, for_good: bool) -> None:
        async with self._outbox.transaction() as connection:
            uids = [uid_of(key) for key in keys]
            on_their_way = await self._outbox.still_waiting(connection, uids)
            ended = [uid for uid in uids if uid not in on_their_way]
            await self._outbox.free_keys(connection, ended, for_good=for_good)
            if not await self._flow.are_among(name, keys):
                raise _Late

    async def prune(self) -> None:
        """Forget what is old, some at a time; of all but jobs one kind at each call."""
        idiom = self._outbox.idiom
        others = pruning.prune_others(idiom, self._kept)
        async with self._outbox.transaction() as connection:
            await connection.execute(pruning.prune_jobs(idiom))
            await connection.execute(others[next(self._turn) % len(others)])

    async def begin_again(self, query: JobQuery) -> int:
        """Make the rows that are meant wait to be forwarded; return how many there were."""
        async with self._outbox.here() as connection:
            rows = await self._chosen(connection, query)
            # `finished_at` stays: it tells that the job has ended before.
            values = {
                "state": JobState.FORWARDING,
                "attempt": 0,
                "run_at": self._outbox.idiom.now(),
                "worker_id": None,
                "keep_until": None,
                "cancelling": False,
            }
            chosen = JOB.c.id.in_([row.id for row in rows])
            await connection.execute(JOB.update().where(chosen).values(values))
            await self._outbox.take_keys(connection, map(envelope_of, rows))
        return len(rows)

    async def cancel_on_their_way(self, query: JobQuery) -> list[str]:
        """Let rows that wait to be forwarded end there, before they begin; return their ids."""
        mine = _in_states(query, (JobState.FORWARDING,))
        if mine is None:
            return []
        async with self._outbox.here() as connection:
            rows = await self._locked(connection, mine)
            chosen = JOB.c.id.in_([row.id for row in rows])
            await connection.execute(JOB.update().where(chosen).values(cancelling=True))
        return [row.uid for row in rows]

    async def discard(self, query: JobQuery) -> int:
        """Delete the rows that are meant, and free their keys."""
        async with self._outbox.here() as connection:
            rows = await self._chosen(connection, query)
            await connection.execute(JOB.delete().where(JOB.c.id.in_([row.id for row in rows])))
            uids = [row.uid for row in rows]
            await self._outbox.free_keys(connection, uids, for_good=True)
        return len(rows)

    async def find(self, query: JobQuery) -> list[JobRecord]:
        """Return the rows that are meant, the newest first."""
        mine = _in_states(query, (JobState.FORWARDING, *ENDED))
        if mine is None:
            return []
        async with self._outbox.reading() as connection:
            rows = await connection.execute(asking.find(self._outbox.idiom, mine))
            return [record_of(row) for row in rows]

    async def count(self, query: JobQuery) -> int:
        """Return how many rows are meant, whatever `limit` says."""
        mine = _in_states(query, (JobState.FORWARDING, *ENDED))
        if mine is None:
            return 0
        async with self._outbox.reading() as connection:
            (number,) = (await connection.execute(asking.count(self._outbox.idiom, mine))).scalars()
        return int(number)

    async def counts(self) -> dict[str, tuple[int, int]]:
        """Return how many jobs of each queue are dead, and how many cancelled."""
        async with self._outbox.reading() as connection:
            rows = (await connection.execute(asking.ended_by_queue())).all()
        found = {(row.queue, row.state): row.number for row in rows}
        return {
            queue: (found.get((queue, JobState.DEAD), 0), found.get((queue, JobState.CANCELLED), 0))
            for queue, _ in found
        }

    async def _chosen(self, connection: Executes, query: JobQuery) -> Sequence[Any]:
        """Lock the rows that are meant of those that have ended."""
        mine = _in_states(query, ENDED)
        return () if mine is None else await self._locked(connection, mine)

    async def _locked(self, connection: Executes, query: JobQuery) -> Sequence[Any]:
        found = cast("sa.Select[Any]", asking.find(self._outbox.idiom, query))
        rows: Sequence[Any] = (await connection.execute(found.with_for_update())).all()
        return rows

    def _row(self, job: Peeked) -> dict[str, Any]:
        record = job.record
        finished_at = record.finished_at or self._clock.now()
        assert job.written is not None
        return _of_envelope(job.written.envelope) | {
            "state": record.state if record.state in ENDED else JobState.DEAD,
            "run_at": record.run_at,
            "attempt": record.attempt,
            "worker_id": record.worker_id,
            "enqueued_at": record.enqueued_at,
            "started_at": record.started_at,
            "finished_at": finished_at,
            "keep_until": finished_at + timedelta(seconds=self._kept.of(record.state) or 0),
            "errors": [error.to_json() for error in record.errors] or None,
            "lease_until": None,
            "progress": asdict(record.progress) if record.progress else None,
        }


def _in_states(query: JobQuery, states: Sequence[JobState]) -> JobQuery | None:
    """Return a query for those of the meant jobs that are in some states; None: it means none."""
    wanted = tuple(state for state in states if not query.states or state in query.states)
    uids = tuple(uid_of(uid) for uid in query.uids)  # as the database knows them
    return replace(query, states=wanted, uids=uids) if wanted else None


def _upsert(idiom: Idiom, row: dict[str, Any]) -> sa.Executable:
    statement = idiom.insert(JOB).values(row)
    changed = {name: value for name, value in row.items() if name != "uid"}
    tells_of_another_end = JOB.c.finished_at.is_distinct_from(row["finished_at"])
    return statement.on_conflict_do_update(
        index_elements=[JOB.c.uid], set_=changed | {"cancelling": False}, where=tells_of_another_end
    )


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
