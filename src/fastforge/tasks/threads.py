"""Threads: a bounded number of them for tasks that are written with plain `def`."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import anyio
import anyio.to_thread

__all__ = ["Threads"]

T = TypeVar("T")


class Threads:
    """Runs blocking functions in at most `limit` threads.

    A caller that is cancelled is free at once. Its thread cannot be ended: it keeps its place
    among the `limit` until its function returns, so that they are never exceeded.
    """

    def __init__(self, limit: int) -> None:
        self._limiter = anyio.CapacityLimiter(limit)
        self._running: set[asyncio.Task[object]] = set()
        self._at_work: set[threading.Thread] = set()

    @property
    def at_work(self) -> frozenset[threading.Thread]:
        """The threads that run a function, also when nobody waits for it any more."""
        return frozenset(self._at_work)

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in a thread, in the context of the caller, and return its result."""
        # Its exception is kept until it is the caller's: a SystemExit would leave a task of its
        # own through the event loop, and end every job in it.
        outcome: Future[T] = Future()
        task = asyncio.create_task(self._run(functools.partial(self._keep, function, outcome)))
        self._running.add(task)
        task.add_done_callback(self._forget)
        await asyncio.wait({task})
        task.result()
        return outcome.result()

    async def _run(self, function: Callable[[], None]) -> None:
        # Abandoned only when the event loop itself ends.
        await anyio.to_thread.run_sync(function, abandon_on_cancel=True, limiter=self._limiter)

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved: nobody may be waiting for it any more

    def _keep(self, function: Callable[[], T], outcome: Future[T]) -> None:
        thread = threading.current_thread()
        self._at_work.add(thread)
        try:
            outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            self._at_work.discard(thread)
