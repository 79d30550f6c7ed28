"""Scanning: the ids of the jobs in Redis, a page at a time."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from ...tasks.outcome import JobState
from ...tasks.records import JobQuery
from .records import RUNNING_SCORE
from .server import OWN_PREFIX, Server
from .wire import QUEUE_NAME, uid_of

__all__ = ["PAGE", "keys_of", "level_key"]

PAGE: Final = 200
OF_A_NAME: Final = 5
"""The version of UUIDs that are made of something else."""
_BURIED: Final = {JobState.DEAD, JobState.CANCELLED}
_MS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """A part of a sorted set whose scores tell a time at which its jobs had been enqueued.

    Args:
        key: The sorted set.
        unit_us: How many microseconds one of its scores stands for.
        since: The score that stands for the moment 0.
        least: Its lowest score.
        most: Its highest score.
    """

    key: str
    unit_us: int = 1
    since: float = 0
    least: str = "-inf"
    most: str = "+inf"

    def us(self, score: float) -> float:
        """Return the time of a score."""
        return (score - self.since) * self.unit_us


_IN_LEVELS: Final = {
    JobState.READY: _Range(key="", unit_us=_MS, most=f"({RUNNING_SCORE:.0f}"),
    JobState.RUNNING: _Range(
        key="", unit_us=_MS, since=RUNNING_SCORE, least=f"{RUNNING_SCORE:.0f}"
    ),
}


def level_key(queue: str, priority: int) -> str:
    """Return the sorted set of the jobs of one priority in a queue."""
    key = QUEUE_NAME if queue == "default" else f"{QUEUE_NAME}:{queue}"
    return f"{key}#{priority}" if priority else key


async def keys_of(
    server: Server, query: JobQuery, enough_us: Callable[[], float]
) -> AsyncIterator[list[str]]:
    """Yield ids of jobs among which are all that a query may mean; some may come twice.

    With a limit those that were due, begun or ended last come first, and it is left off where all
    that is left was so before a moment.

    Args:
        server: Where they are.
        query: Which are meant.
        enough_us: Tells that moment, as far as it is known by then.
    """
    for start in range(0, len(query.uids), PAGE):
        yield [key for uid in query.uids[start : start + PAGE] for key in _spellings(uid)]
    if query.uids and not any(map(_stands_for_another, query.uids)):
        return
    is_ordered = query.limit is not None and not (query.uids or query.uid_prefix)
    scanned: set[str] = set()
    async for each in _ranges(server, query):
        if not is_ordered and each.key in scanned:
            continue
        scanned.add(each.key)
        pages = _last_first(server, each, enough_us) if is_ordered else _all(server, each, query)
        async for keys in pages:
            yield keys


def _spellings(uid: str) -> tuple[str, ...]:
    """Return the keys that a job may have in Redis: arq's own client writes no dashes."""
    digits = uid.replace("-", "")
    return (uid, digits) if digits != uid and uid_of(digits) == uid else (uid,)


def _stands_for_another(uid: str) -> bool:
    """Return whether it was made of a name that somebody else has given a job."""
    return uid_of(uid) == uid and uuid.UUID(uid).version == OF_A_NAME


def _may_be_meant(key: str, query: JobQuery) -> bool:
    if query.uids:
        return uid_of(key) in query.uids
    return key.startswith(query.uid_prefix) or uid_of(key).startswith(query.uid_prefix)


async def _all(server: Server, each: _Range, query: JobQuery) -> AsyncIterator[list[str]]:
    place: Any = 0
    while True:
        place, found = await server.command("ZSCAN", each.key, place, "COUNT", PAGE)
        keys = [key.decode() for key, _ in found]
        keys = [key for key in keys if _may_be_meant(key, query)]
        for start in range(0, len(keys), PAGE):  # a small set comes whole
            yield keys[start : start + PAGE]
        if not int(place):
            return


async def _last_first(
    server: Server, each: _Range, enough_us: Callable[[], float]
) -> AsyncIterator[list[str]]:
    most, left_out = each.most, 0
    while True:
        found = await server.run("page", each.key, most, each.least, left_out, PAGE)
        if not found:
            return
        yield [key.decode() for key in found[::2]]
        scores = [score.decode() for score in found[1::2]]
        if each.us(float(scores[-1])) < enough_us():
            return
        # From there on, without those of the same score that have been on a page.
        left_out = scores.count(scores[-1]) + (left_out if scores[-1] == most else 0)
        most = scores[-1]


async def _ranges(server: Server, query: JobQuery) -> AsyncIterator[_Range]:
    wanted = set(query.states or JobState)
    known = [queue.decode() for queue in await server.command("SMEMBERS", f"{OWN_PREFIX}queues")]
    for queue in query.queues or known:
        parts = [part for state, part in _IN_LEVELS.items() if state in wanted]
        for level in await _levels(server, queue) if parts else ():
            for part in parts:
                yield replace(part, key=level)
        if JobState.DONE in wanted:
            yield _Range(key=f"{OWN_PREFIX}ended:{queue}")
    if JobState.HELD in wanted:
        for key in await server.command("SMEMBERS", f"{OWN_PREFIX}heldkeys"):
            yield _Range(key=f"{OWN_PREFIX}held:{key.decode()}", unit_us=_MS)
    if wanted & _BURIED:
        yield _Range(key=f"{OWN_PREFIX}buried")


async def _levels(server: Server, queue: str) -> list[str]:
    priorities = await server.command("ZRANGE", f"{OWN_PREFIX}levels:{queue}", 0, -1)
    return [level_key(queue, priority) for priority in (0, *map(int, priorities))]
