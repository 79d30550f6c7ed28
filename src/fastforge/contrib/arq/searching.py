"""Searching: the jobs in Redis that a query means, the newest first."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count
from typing import Final

from ...tasks.records import JobQuery
from .flow import Flow
from .moments import microseconds
from .records import Peeked, is_meant, peek
from .scanning import keys_of

__all__ = ["asks_for_states_alone", "count_found", "search"]

AHEAD_US: Final = 5_000_000
"""How much later than the server's the clock of whoever enqueues may be."""


class _Newest:
    """The newest of the jobs that are added: at most so many, or all of them."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._heap: list[tuple[int, int, Peeked]] = []
        self._numbers = count()

    def add(self, job: Peeked) -> None:
        entry = (microseconds(job.record.enqueued_at), next(self._numbers), job)
        if self._limit is None or len(self._heap) < self._limit:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def enough_us(self) -> float:
        """Return before which moment nothing can be that is newer than what has been found."""
        if len(self._heap) == self._limit:
            return self._heap[0][0] - AHEAD_US
        return float("-inf")

    def jobs(self) -> list[Peeked]:
        return [job for _, _, job in sorted(self._heap, reverse=True)]


async def search(flow: Flow, query: JobQuery) -> list[Peeked]:
    """Return the jobs that are meant, the newest first.

    Redis has no index for it: without a limit, every job there is looked at that is in one of the
    queues and states. With one, those that were due last come first: as a job is due when it is
    enqueued, or later, the search ends where all that is left is older than what was found.
    """
    if query.limit == 0:
        return []
    newest = _Newest(query.limit)
    async for job in _found(flow, query, newest):
        newest.add(job)
    return newest.jobs()


async def count_found(flow: Flow, query: JobQuery) -> int:
    """Return how many jobs are meant, by looking at each."""
    number = 0
    async for _ in _found(flow, replace(query, limit=None), _Newest(None)):
        number += 1
    return number


def asks_for_states_alone(query: JobQuery) -> bool:
    """Return whether it does not matter which jobs of the queues and states there are."""
    return replace(query, states=(), queues=(), limit=None) == JobQuery()


async def _found(flow: Flow, query: JobQuery, newest: _Newest) -> AsyncIterator[Peeked]:
    seen: set[str] = set()
    async for keys in keys_of(flow.server, query, newest.enough_us):
        fresh = [key for key in dict.fromkeys(keys) if key not in seen]
        seen.update(fresh)
        for job in await peek(flow, fresh) if fresh else ():
            if is_meant(job, query):
                yield job
