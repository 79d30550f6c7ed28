"""Threads: a bounded number of them for tasks that are written with plain `def`."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Generic, TypeVar

import anyio
import anyio.to_thread

__all__ = ["Threads"]

T = TypeVar("T")


class Threads:
    """Runs blocking functions in at most `limit` threads.

    A caller that is cancelled is free at once. Its thread cannot be ended: it keeps its place
    among the `limit` until its function returns, so that they are never exceeded.

    Args:
        limit: How many there are.
        on_return: Called when a function has returned whose caller is gone.
    """

    def __init__(self, limit: int, on_return: Callable[[], None] | None = None) -> None:
        self._limiter = anyio.CapacityLimiter(limit)
        self._on_return = on_return
        self._running: set[asyncio.Task[object]] = set()
        self._at_work: set[threading.Thread] = set()
        self._left: Counter[str] = Counter()

    @property
    def at_work(self) -> frozenset[threading.Thread]:
        """The threads that run a function, also when nobody waits for it any more."""
        return frozenset(self._at_work)

    @property
    def left(self) -> Mapping[str, int]:
        """How many threads run a function whose caller is gone, by the label that it gave."""
        return self._left

    async def run(self, function: Callable[[], T], *, label: str = "") -> T:
        """Run a function in a thread, in the context of the caller, and return its result."""
        call = _Call(function)
        task = asyncio.create_task(self._run(call))
        self._running.add(task)
        task.add_done_callback(self._forget)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if call.leave() and not task.done():
                self._left[label] += 1
                task.add_done_callback(lambda _: self._returned(label))
            raise
        task.result()
        return call.outcome.result()

    async def _run(self, call: _Call[T]) -> None:
        # Abandoned only when the event loop itself ends.
        await anyio.to_thread.run_sync(
            self._work, call, abandon_on_cancel=True, limiter=self._limiter
        )

    def _work(self, call: _Call[T]) -> None:
        thread = threading.current_thread()
        self._at_work.add(thread)
        try:
            call.run()
        finally:
            self._at_work.discard(thread)

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved: nobody may be waiting for it any more

    def _returned(self, label: str) -> None:
        self._left[label] -= 1
        if not self._left[label]:
            del self._left[label]
        if self._on_return is not None:
            self._on_return()


class _Call(Generic[T]):
    """A function, and what came of it.

    Its exception is kept until it is the caller's: a SystemExit would leave a task of its own
    through the event loop, and end every job in it.
    """

    __slots__ = ("_begun", "_function", "_left", "outcome")

    def __init__(self, function: Callable[[], T]) -> None:
        self.outcome: Future[T] = Future()
        self._function = function
        self._begun = self._left = False

    def run(self) -> None:
        """Run it, unless its caller was gone before it began."""
        # First said, then asked, here and in `leave`: one of the two sees the other.
        self._begun = True
        if self._left:
            return
        try:
            self.outcome.set_result(self._function())
        except BaseException as error:
            self.outcome.set_exception(error)

    def leave(self) -> bool:
        """Be gone, as its caller; return whether it runs all the same."""
        self._left = True
        return self._begun
