"""Pool: whether the threads of plain `def` functions are all taken, and by what."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import anyio.to_thread

from .frames import Stack, stack_of
from .reports import Reports

if TYPE_CHECKING:
    import anyio

__all__ = ["PoolWatch"]

_BACKEND: Final = "anyio._backends._asyncio"
_NAME: Final = "AnyIO worker thread"
MOST_FUNCTIONS: Final = 5


class PoolWatch:
    """Looks at the threads of the event loop that runs here, and tells who holds them for long.

    Args:
        reports: Where it tells.
        threshold_s: How long others may wait while all are taken, in seconds.
    """

    def __init__(self, reports: Reports, threshold_s: float) -> None:
        self._reports = reports
        self._threshold_s = threshold_s
        self._since: float | None = None

    def look(self) -> None:
        """Look once. It never raises, and costs nothing until a thread has been used."""
        if _BACKEND not in sys.modules:
            return
        limiter = anyio.to_thread.current_default_thread_limiter()
        statistics = limiter.statistics()
        now = time.monotonic()
        if not statistics.tasks_waiting or statistics.borrowed_tokens < statistics.total_tokens:
            self._since = None
            return
        self._since = since = now if self._since is None else self._since
        if now - since >= self._threshold_s:
            self._tell(statistics, now - since)

    def _tell(self, statistics: anyio.CapacityLimiterStatistics, duration_s: float) -> None:
        repeated = self._reports.may_tell("thread_pool_starved", 0)
        if repeated is not None:
            fields = {
                "duration_s": round(duration_s, 3),
                "threads": int(statistics.total_tokens),
                "waiting": statistics.tasks_waiting,
                "functions": _functions(),
            }
            self._reports.write("thread_pool_starved", {**fields, **repeated})


def _functions() -> list[str]:
    """Return where the threads are, with how many of them, most first."""
    stacks = (
        stack_of(thread.ident, None)
        for thread in threading.enumerate()
        if thread.ident is not None and thread.name == _NAME
    )
    busy = Counter(str(stack.guilty) for stack in stacks if stack is not None and _works(stack))
    return [f"{count} in {place}" for place, count in busy.most_common(MOST_FUNCTIONS)]


def _works(stack: Stack) -> bool:
    """Return whether a thread does something, and does not wait for a function."""
    functions = {place.function for place in stack.places}
    return not ({"Queue.get", "WorkerThread.run"} <= functions and len(stack.places) <= _RESTING)


_RESTING: Final = 6
"""How many frames a thread has that waits for a function."""
