"""Desk: what is asked of jobs from outside, in Redis and in the database together."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from ...tasks.outcome import JobState
from ...tasks.records import BatchRecord, JobQuery, JobRecord, QueueStats, WorkerBeat
from ..jobs.outbox import Outbox
from .flow import CHUNK, Flow, Leftovers
from .forwarding import Forwarding, transaction_here
from .records import Peeked, is_meant, peek
from .remembered import Remembered
from .scanning import keys_of
from .server import OWN_PREFIX
from .workers import Workers

__all__ = ["ArqDesk"]

WAITING: Final = (JobState.READY, JobState.HELD)


class ArqDesk:
    """Tells of jobs wherever they are, and does what it is told with them.

    Args:
        flow: The jobs in Redis.
        remembered: Those in the database.
        forwarding: Brings jobs from there to Redis.
        outbox: The rows on that way.
        workers: What workers say of themselves.
        tidy: Writes to the database what a script has left for it.
    """

    def __init__(
        self,
        flow: Flow,
        remembered: Remembered,
        forwarding: Forwarding,
        outbox: Outbox,
        workers: Workers,
        tidy: Callable[[Leftovers], Awaitable[None]],
    ) -> None:
        self._flow = flow
        self._remembered = remembered
        self._forwarding = forwarding
        self._outbox = outbox
        self._workers = workers
        self._tidy = tidy

    # --- what there is ---

    async def find(self, query: JobQuery, /) -> Sequence[JobRecord]:
        """Return the jobs that are meant, the newest first.

        Redis has no index for it: unless uids are named, every job there is looked at.
        """
        records = {job.record.uid: job.record async for job in self._in_redis(query)}
        for record in await self._remembered.find(query):
            records.setdefault(record.uid, record)
        newest = sorted(records.values(), key=lambda record: record.enqueued_at, reverse=True)
        return newest if query.limit is None else newest[: query.limit]

    async def count(self, query: JobQuery, /) -> int:
        """Return how many jobs are meant, whatever `limit` says."""
        return len(await self.find(replace(query, limit=None)))

    async def batch(self, uid: str, /) -> BatchRecord | None:
        """Return how far a batch is; one that has not reached Redis yet is as it was written."""
        key = f"{OWN_PREFIX}batch:{uid}"
        found = await self._flow.server.command("HMGET", key, "total", "pending", "failed")
        if found[0] is not None:
            total, pending, failed = map(int, found)
            return BatchRecord(uid=uid, total=total, pending=pending, failed=failed)
        async with self._outbox.reading() as connection:
            written = await self._outbox.batches(connection, [uid])
        for batch, total in written:
            return BatchRecord(uid=batch.uid, total=total, pending=total)
        return None

    async def stats(self) -> Sequence[QueueStats]:
        """Return what waits and runs, by queue."""
        found: dict[str, QueueStats] = {}
        for each in await self._flow.server.run("stats", self._flow.ahead_us):
            stats = _stats(*each)
            found[stats.queue] = stats
        for queue, (dead, cancelled) in (await self._remembered.counts()).items():
            stats = found.get(queue, QueueStats(queue=queue))
            found[queue] = replace(stats, dead=dead, cancelled=cancelled)
        return [found[queue] for queue in sorted(found)]

    async def workers(self) -> Sequence[WorkerBeat]:
        """Return the workers that have been heard of lately."""
        return await self._workers.known()

    # --- what is done with them ---

    async def retry(self, query: JobQuery, /) -> int:
        """Make dead and cancelled jobs due now."""
        await self._catch_up()
        count = await self._remembered.begin_again(query)
        await self._forwarding.forward_soon()
        return count

    async def cancel(self, query: JobQuery, /) -> int:
        """Cancel jobs that wait, and ask the workers of running ones to."""
        await self._catch_up()
        keys = await self._keys(query, (*WAITING, JobState.RUNNING))
        return await self._run("cancel", keys, self._flow.ahead_us)

    async def discard(self, query: JobQuery, /) -> int:
        """Forget jobs that do not run."""
        await self._catch_up()
        keys = await self._keys(query, (*WAITING, JobState.DONE))
        count = await self._run("discard", keys)
        left = None if query.limit is None else query.limit - count
        return count + await self._remembered.discard(replace(query, limit=left))

    async def pause(self, queue: str, /) -> None:
        """Let no worker take jobs from a queue until it is resumed."""
        await self._flow.server.command("SADD", f"{OWN_PREFIX}paused", queue)

    async def resume(self, queue: str, /) -> None:
        """Let workers take jobs from a queue again."""
        await self._flow.server.command("SREM", f"{OWN_PREFIX}paused", queue)
        await self._flow.server.command("PUBLISH", f"{OWN_PREFIX}wake", queue)

    async def _catch_up(self) -> None:
        """Bring every job to where it belongs; not in the middle of somebody's transaction.

        A file has one writer, who would wait for itself.
        """
        if transaction_here() is None:
            await self._forwarding.forward(older_than_s=0)
            await self._remembered.bury()

    async def _run(self, script: Any, keys: Sequence[str], *args: Any) -> int:
        count = 0
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            number, *left = await self._flow.server.run(script, *args, *chunk)
            await self._tidy(Leftovers.of(left))
            count += number
        return count

    async def _keys(self, query: JobQuery, states: Sequence[JobState]) -> list[str]:
        """Return the keys of the newest jobs that are meant, of those in some states."""
        wanted = tuple(state for state in states if not query.states or state in query.states)
        if not wanted:
            return []
        found = [job async for job in self._in_redis(replace(query, states=wanted))]
        limit = len(found) if query.limit is None else query.limit
        newest = heapq.nlargest(limit, found, key=lambda job: job.record.enqueued_at)
        return [job.key for job in newest]

    async def _in_redis(self, query: JobQuery) -> AsyncIterator[Peeked]:
        seen: set[str] = set()
        async for keys in keys_of(self._flow.server, query):
            fresh = [key for key in dict.fromkeys(keys) if key not in seen]
            seen.update(fresh)
            for job in await peek(self._flow, fresh) if fresh else ():
                if is_meant(job.record, query):
                    yield job


def _stats(
    queue: bytes,
    ready: int,
    scheduled: int,
    held: int,
    running: int,
    done: int,
    oldest_us: bytes,
    done_a_minute: int,
    paused: int,
) -> QueueStats:
    return QueueStats(
        queue=queue.decode(),
        ready=ready,
        scheduled=scheduled,
        held=held,
        running=running,
        done=done,
        oldest_ready_s=float(oldest_us) / 1_000_000 if oldest_us else None,
        done_a_minute=done_a_minute,
        paused=bool(paused),
    )
