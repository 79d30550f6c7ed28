"""Deadline: when an answer has to begin, at next to no cost for those that begin in time."""

from __future__ import annotations

import asyncio
import logging
import time
from contextvars import Context
from typing import Any, Final, Protocol

from starlette.types import Scope

__all__ = [
    "EDGE",
    "Deadlines",
    "Limited",
    "begin_answer",
    "is_our_cancellation",
    "leave_out",
    "runs_in_thread",
]

logger = logging.getLogger("fastforge.middleware")

EDGE: Final = "fastforge.edge"
"""The key of the scope under which the exchange stands that an edge has begun."""


class Limited(Protocol):
    """What waits for its answer to begin."""

    started: float

    def look_at_limit(self) -> float:
        """Hear that a limit is over; return how long another one is not, in seconds, or 0."""
        ...

    def begin(self) -> bool:
        """Begin the answer, and return whether that is in time."""
        ...


def begin_answer(scope: Scope) -> bool:
    """Stop the clock of a request, and return whether its answer may still begin.

    What must not happen for a request that has been answered with 504 already, such as a commit,
    asks here first. Once it is told to go on, nothing interrupts it any more.

    Args:
        scope: The request's.
    """
    exchange: Limited | None = scope.get(EDGE)
    return exchange is None or exchange.begin()


def leave_out(scope: Scope) -> None:
    """Count a request in no metric: what it answers with is about this process itself.

    Args:
        scope: The request's.
    """
    edge: Any = scope.get(EDGE)
    if hasattr(edge, "leave_out"):  # a socket has none
        edge.leave_out()


class Deadlines:
    """The exchanges whose answers have not begun, the oldest first.

    They all have the same limit at first, so that one timer, for the oldest, is enough.

    Args:
        limit_s: The limit, in seconds.
    """

    __slots__ = ("_limit_s", "_loop", "_timers", "_waiting")

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timers: dict[Limited, asyncio.TimerHandle] = {}
        self._waiting: dict[Limited, None] = {}

    def add(self, exchange: Limited) -> asyncio.Task[Any]:
        """Tell the exchange when its limit is over, unless it is taken out before.

        Returns:
            The task that runs here.
        """
        task = asyncio.current_task()
        assert task is not None
        self._waiting[exchange] = None
        if self._loop is not task.get_loop():
            self._loop = task.get_loop()
            self._wake_after(self._limit_s)
        return task

    def discard(self, exchange: Limited) -> None:
        """Take an exchange out, if it is still there."""
        if self._waiting.pop(exchange, exchange) is not None:  # it was not there
            timer = self._timers.pop(exchange, None)
            if timer is not None:
                timer.cancel()

    def _wake_after(self, delay_s: float) -> None:
        assert self._loop is not None
        # In a context of its own: whoever comes first has nothing to do with the others.
        self._loop.call_later(delay_s, self._tick, self._loop, context=Context())

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:  # another one has taken over
            return
        while self._waiting:
            exchange = next(iter(self._waiting))
            remaining_s = exchange.started + self._limit_s - time.perf_counter()
            if remaining_s > 0:
                self._wake_after(remaining_s)
                return
            del self._waiting[exchange]
            self._look_at(exchange, loop)
        self._loop = None

    def _look_at(self, exchange: Limited, loop: asyncio.AbstractEventLoop) -> None:
        self._timers.pop(exchange, None)
        remaining_s = exchange.look_at_limit()
        if remaining_s > 0:
            self._timers[exchange] = loop.call_later(
                remaining_s, self._look_at, exchange, loop, context=Context()
            )


def runs_in_thread(task: asyncio.Task[Any]) -> bool:
    """Return whether a task waits for a `def` function that runs in a thread."""
    from anyio.to_thread import current_default_thread_limiter  # loaded by then, and dear before

    return task in current_default_thread_limiter().statistics().borrowers


def is_our_cancellation(error: BaseException | None, *, has_cancelled: bool) -> bool:
    """Return whether a request was ended by our own cancellation alone, which is taken back.

    What was ours goes no further: the request has had its 504. An error that the cancellation has
    led to is logged, and counts as ours too.

    Args:
        error: What ended the request.
        has_cancelled: Whether we have cancelled it.
    """
    task = asyncio.current_task()
    assert task is not None
    cancelled_by_others = (task.uncancel() if has_cancelled else task.cancelling()) > 0
    if isinstance(error, Exception):
        logger.warning("a request failed as it was cancelled for its time", exc_info=error)
        return True
    return isinstance(error, asyncio.CancelledError) and not cancelled_by_others
