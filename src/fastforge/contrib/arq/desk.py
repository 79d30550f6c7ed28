"""Desk: what is asked of jobs from outside, in Redis and in the database together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ...tasks.outcome import JobState
from ...tasks.records import BatchRecord, JobQuery, JobRecord, QueueStats, WorkerBeat
from ..jobs.outbox import Outbox
from .calls import CHUNK
from .flow import Flow, Leftovers
from .forwarding import Forwarding, transaction_here
from .remembered import ENDED, Remembered
from .searching import asks_for_states_alone, count_found, search
from .server import OWN_PREFIX
from .wire import uid_of
from .workers import Workers

__all__ = ["ArqDesk"]

WAITING: Final = (JobState.READY, JobState.HELD)
COUNTED: Final[Mapping[JobState, Callable[[QueueStats], int]]] = {
    JobState.READY: lambda stats: stats.ready + stats.scheduled,
    JobState.HELD: lambda stats: stats.held,
    JobState.RUNNING: lambda stats: stats.running,
    JobState.DONE: lambda stats: stats.done,
}
"""Of these Redis knows how many there are."""


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

        Redis has no index for it: unless uids are named, it is searched.
        """
        records = {job.record.uid: job.record for job in await search(self._flow, query)}
        for record in await self._remembered.find(query):
            records.setdefault(record.uid, record)
        newest = sorted(records.values(), key=lambda record: record.enqueued_at, reverse=True)
        return newest if query.limit is None else newest[: query.limit]

    async def count(self, query: JobQuery, /) -> int:
        """Return how many jobs are meant, whatever `limit` says.

        Where it asks for queues and states alone, Redis knows their number; else each job there is
        looked at. One that is just on its way to or from the database may count twice.
        """
        return await self._count_in_redis(query) + await self._remembered.count(query)

    async def _count_in_redis(self, query: JobQuery) -> int:
        if not asks_for_states_alone(query):
            return await count_found(self._flow, query)
        wanted = set(query.states or JobState)
        counted = [count for state, count in COUNTED.items() if state in wanted]
        number = 0
        for told in await self._flow.stats() if counted else ():
            stats = _stats(*told)
            if not query.queues or stats.queue in query.queues:
                number += sum(count(stats) for count in counted)
        buried = tuple(state for state in ENDED if state in wanted)
        if buried:
            number += await count_found(self._flow, replace(query, states=buried))
        return number

    async def batch(self, uid: str, /) -> BatchRecord | None:
        """Return how far a batch is; one that has not reached Redis yet is as it was written."""
        key = f"{OWN_PREFIX}batch:{uid}"
        found = await self._flow.server.command("HMGET", key, "total", "pending", "failed")
        if found[0] is not None:
            total, pending, failed = map(int, found)
            return BatchRecord(uid=uid, total=total, pending=pending, failed=failed)
        async with self._outbox.reading() as connection:
            written = await self._outbox.batches(connection, [uid_of(uid)])
        for batch, total in written:
            return BatchRecord(uid=batch.uid, total=total, pending=total)
        return None

    async def stats(self) -> Sequence[QueueStats]:
        """Return what waits and runs, by queue."""
        found: dict[str, QueueStats] = {}
        for each in await self._flow.stats():
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
        session = transaction_here()
        on_their_way: list[str] = []
        if session is not None:
            on_their_way = await self._remembered.cancel_on_their_way(query)
            if on_their_way:
                self._forwarding.has_changed(session)
        keys = await self._keys(_without(query, len(on_their_way)), (*WAITING, JobState.RUNNING))
        others = [key for key in keys if key not in on_their_way]
        return len(on_their_way) + await self._run("cancel", others, self._flow.ahead_us)

    async def discard(self, query: JobQuery, /) -> int:
        """Forget jobs that do not run."""
        await self._catch_up()
        keys = await self._keys(query, (*WAITING, JobState.DONE))
        count = await self._run("discard", keys)
        return count + await self._remembered.discard(_without(query, count))

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
        return [job.key for job in await search(self._flow, replace(query, states=wanted))]


def _without(query: JobQuery, count: int) -> JobQuery:
    """Return a query for what its limit leaves when so many are done."""
    return query if query.limit is None else replace(query, limit=query.limit - count)


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
