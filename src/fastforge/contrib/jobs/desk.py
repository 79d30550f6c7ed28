"""TableDesk: what is told of the jobs in the table, and done with them from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from ...tasks.outcome import JobState
from ...tasks.records import BatchRecord, JobQuery, JobRecord, QueueStats, WorkerBeat
from .endings import follow_discards, follow_endings, follow_retries
from .enqueueing import Executes
from .queues import count_queues
from .rows import batch_of, record_of, worker_of
from .statements import asking
from .statements import desk as statements
from .statements.enqueueing import wake
from .statements.idiom import Idiom
from .statements.settling import Retention
from .transactions import Transactions

__all__ = ["TableDesk"]

AT_ONCE: Final = 1000
"""How many jobs one transaction changes: workers wait for the rows that it holds."""


class TableDesk:
    """Tells of jobs, and does what it is told with them: in the transaction that runs here, if any.

    Args:
        idiom: How statements are written.
        transactions: Where they run.
        kept: How long ended jobs are kept.
        alive_s: How long after its last word a worker counts as alive, in seconds.
    """

    def __init__(
        self, idiom: Idiom, transactions: Transactions, *, kept: Retention, alive_s: float
    ) -> None:
        self._idiom = idiom
        self._transactions = transactions
        self._kept = kept
        self._alive = timedelta(seconds=alive_s)

    # What there is

    async def find(self, query: JobQuery, /) -> Sequence[JobRecord]:
        """Return the jobs that are meant, the newest first."""
        return [record_of(row) for row in await self._rows(asking.find(self._idiom, query))]

    async def count(self, query: JobQuery, /) -> int:
        """Return how many jobs are meant, whatever `limit` says."""
        ((number,),) = await self._rows(asking.count(self._idiom, query))
        return int(number)

    async def stats(self) -> Sequence[QueueStats]:
        """Return what waits and runs, by queue. It reads indexes, and no job that has ended."""
        async with self._transactions.reading() as connection:
            return await count_queues(self._idiom, connection, self._kept)

    async def batch(self, uid: str, /) -> BatchRecord | None:
        """Return how far a batch is; None when there is no such batch (any more)."""
        rows = await self._rows(asking.batch(self._idiom, uid))
        return batch_of(rows[0]) if rows else None

    async def workers(self) -> Sequence[WorkerBeat]:
        """Return the workers that have been heard of in the last day."""
        rows = await self._rows(asking.workers(self._idiom))
        return [worker_of(row, alive=row.now - row.beat_at <= self._alive) for row in rows]

    async def _rows(self, statement: Any) -> list[Any]:
        async with self._transactions.reading() as connection:
            return list((await connection.execute(statement)).all())

    # What is done

    async def retry(self, query: JobQuery, /) -> int:
        """Make dead and cancelled jobs due now, with all their attempts; return how many.

        One whose unique key another job has taken meanwhile runs beside that.
        """
        return await self._each(query, statements.RETRIABLE, self._retry)

    async def cancel(self, query: JobQuery, /) -> int:
        """Cancel jobs that wait, and ask the workers of running ones to; return how many."""
        return await self._each(query, statements.CANCELLABLE, self._cancel)

    async def discard(self, query: JobQuery, /) -> int:
        """Forget jobs that do not run, as if they had never been; return how many."""
        return await self._each(query, statements.DISCARDABLE, self._discard)

    async def pause(self, queue: str, /) -> None:
        """Let no worker take jobs from a queue until it is resumed."""
        async with self._transactions.here() as connection:
            await connection.execute(statements.pause(self._idiom, queue))

    async def resume(self, queue: str, /) -> None:
        """Let workers take jobs from a queue again."""
        async with self._transactions.here() as connection:
            await connection.execute(statements.resume(queue))
            await self._wake(connection)

    async def _each(
        self,
        query: JobQuery,
        states: Sequence[JobState],
        act: Callable[[Executes, Sequence[Any]], Awaitable[int]],
    ) -> int:
        """Do something with the meant jobs that are in one of some states, some at a time."""
        keys = [key for (key,) in await self._rows(asking.keys(self._idiom, query, states))]
        number = 0
        for place in range(0, len(keys), AT_ONCE):
            async with self._transactions.here() as connection:
                number += await act(connection, keys[place : place + AT_ONCE])
        return number

    async def _retry(self, connection: Executes, keys: Sequence[Any]) -> int:
        rows = (await connection.execute(*statements.retry(self._idiom, keys))).all()
        await follow_retries(self._idiom, connection, rows)
        await self._wake(connection)
        return len(rows)

    async def _cancel(self, connection: Executes, keys: Sequence[Any]) -> int:
        rows = (await connection.execute(*statements.cancel(self._idiom, keys, self._kept))).all()
        stopped = [row for row in rows if row.state != JobState.RUNNING]
        await follow_endings(self._idiom, connection, stopped)
        return len(rows)

    async def _discard(self, connection: Executes, keys: Sequence[Any]) -> int:
        rows = (await connection.execute(*statements.discard(self._idiom, keys))).all()
        await follow_discards(self._idiom, connection, rows)
        return len(rows)

    async def _wake(self, connection: Executes) -> None:
        if self._idiom.is_postgresql:
            await connection.execute(wake())
