"""Scanning: the ids of the jobs in Redis, some at a time."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

from ...tasks.outcome import JobState
from ...tasks.records import JobQuery
from .server import OWN_PREFIX, Server
from .wire import QUEUE_NAME

__all__ = ["keys_of", "level_key"]

_SPECIAL: Final = re.compile(r"[*?\[\]\\^]")
CHUNK: Final = 500
_IN_LEVELS: Final = {JobState.READY, JobState.RUNNING}
_BURIED: Final = {JobState.DEAD, JobState.CANCELLED}


def level_key(queue: str, priority: int) -> str:
    """Return the sorted set of the jobs of one priority in a queue."""
    key = QUEUE_NAME if queue == "default" else f"{QUEUE_NAME}:{queue}"
    return f"{key}#{priority}" if priority else key


async def keys_of(server: Server, query: JobQuery) -> AsyncIterator[list[str]]:
    """Yield ids of jobs among which are all that a query may mean; some may come twice."""
    if query.uids:
        for start in range(0, len(query.uids), CHUNK):
            yield list(query.uids[start : start + CHUNK])
        return
    beginning = _SPECIAL.sub(r"\\\g<0>", query.uid_prefix)
    async for sorted_set in _sorted_sets(server, query):
        place: Any = 0
        while True:
            place, found = await server.command(
                "ZSCAN", sorted_set, place, "MATCH", f"{beginning}*", "COUNT", CHUNK
            )
            keys = [key.decode() for key, _ in found]
            for start in range(0, len(keys), CHUNK):  # a small set comes whole
                yield keys[start : start + CHUNK]
            if not place:
                break


async def _sorted_sets(server: Server, query: JobQuery) -> AsyncIterator[str]:
    wanted = set(query.states or JobState)
    known = [queue.decode() for queue in await server.command("SMEMBERS", f"{OWN_PREFIX}queues")]
    queues = query.queues or known
    for queue in queues:
        if wanted & _IN_LEVELS:
            yield level_key(queue, 0)
            for priority in await server.command("ZRANGE", f"{OWN_PREFIX}levels:{queue}", 0, -1):
                yield level_key(queue, int(priority))
        if JobState.DONE in wanted:
            yield f"{OWN_PREFIX}ended:{queue}"
    if JobState.HELD in wanted:
        for key in await server.command("SMEMBERS", f"{OWN_PREFIX}heldkeys"):
            yield f"{OWN_PREFIX}held:{key.decode()}"
    if wanted & _BURIED:
        yield f"{OWN_PREFIX}buried"
