"""Offloader: what one running project offloads, within its limits."""

from __future__ import annotations

import asyncio
import collections
import functools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread

from ..ending import leave_behind
from .call import Call
from .errors import OffloadError, OffloadTimeout
from .gate import Gate

if TYPE_CHECKING:
    from .gauges import OffloadGauges, PoolGauges
    from .limiter import Limiter
    from .processes import Processes

__all__ = ["Offloader"]

logger = logging.getLogger("fastforge.offloading")

LAST_DRAIN_S: Final = 0.5
"""How long functions may go on that were offloaded while the services stopped, in seconds."""


class Offloader:
    """Runs functions in the threads and processes of one project.

    Args:
        threads: What counts the threads: AnyIO's default limiter, which others use too.
        processes: How many processes may work at the same time.
        loop: The event loop that the project runs on.
    """

    def __init__(
        self, threads: anyio.CapacityLimiter, processes: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._threads = Gate(threads, name="SERVER.threads")
        self._workers = Gate(anyio.CapacityLimiter(processes), name="SERVER.offload_processes")
        self._limited: dict[str, tuple[Limiter, Gate]] = {}
        self._calls: set[Call] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._processes: Processes | None = None  # few projects need it
        self._loop = loop
        # AnyIO is to count nothing itself: a token of its own would end with the caller.
        self._uncounted = anyio.CapacityLimiter(math.inf)

    async def run(
        self, call: Call, *, limiter: Limiter | None, timeout_s: float | None, process: bool
    ) -> Any:
        """Run a call and return what its function returns.

        Raises:
            OffloadBusy: As many wait for the limiter as it lets wait.
            OffloadTimeout: It did not end in time.
            OffloadCrashed: Its process ended.
            OffloadError: It cannot be sent to a process.
            Exception: Whatever the function raised.
        """
        gates = [self._workers if process else self._threads]
        if limiter is not None:
            gates.insert(0, self._gate(limiter))
        way = self._process_way() if process else Call.here
        if timeout_s is None:
            await self._work(call, gates, way)
            return call.result()
        try:
            async with asyncio.timeout(timeout_s):
                await self._work(call, gates, way)
        except TimeoutError:  # not the function's own, which `result` raises
            raise _timed_out(call, timeout_s, process=process) from None
        return call.result()

    def gauges(self) -> OffloadGauges:
        """Return what runs and waits now."""
        from .gauges import OffloadGauges

        return OffloadGauges(
            threads=self._gauges(self._threads),
            processes=self._gauges(self._workers),
            live_processes=len(self._processes or ()),
            limiters={name: self._gauges(gate) for name, (_, gate) in self._limited.items()},
        )

    def look(self) -> None:
        """Tell of each limit where nobody has left since the last look although others wait."""
        for gate in self._gates():
            if gate.look():
                holders = [call for call in self._calls if gate in call.places]
                logger.warning("%s", _stuck(gate, holders))

    async def drain(self, limit_s: float) -> None:
        """Wait until nothing runs, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._calls:
                    await self._idle.wait()

    async def close(self) -> None:
        """End the processes, and leave the threads that do not end. It never raises."""
        try:
            await self.drain(LAST_DRAIN_S)
        finally:
            # A thread that waits for a process ends with it.
            left = [call for call in self._calls if call.thread and self._threads in call.places]
            if left:
                logger.warning(
                    "offloaded functions did not end and are left behind: %s", _counted(left)
                )
                leave_behind(call.thread for call in left if call.thread)
            if self._processes is not None:
                await anyio.to_thread.run_sync(self._processes.close, limiter=self._uncounted)

    def _gate(self, limiter: Limiter) -> Gate:
        known, gate = self._limited.get(limiter.name, (limiter, None))
        if gate is None:
            gate = Gate(
                anyio.CapacityLimiter(limiter.limit),
                name=limiter.name,
                max_waiting=limiter.max_waiting,
            )
            self._limited[limiter.name] = (limiter, gate)
        elif known != limiter:
            raise OffloadError(
                f"two limiters are called {limiter.name!r}: {known} and {limiter}",
                code="offloading.E003",
                hint="give one of them another name, or import the one that there is",
            )
        return gate

    async def _work(self, call: Call, gates: Iterable[Gate], way: Callable[[Call], Any]) -> None:
        try:
            for gate in gates:
                await call.enter(gate)
        except BaseException:
            call.leave()
            raise
        self._begin(call)
        try:
            await anyio.to_thread.run_sync(
                call.run,
                way,
                functools.partial(self._end_from_thread, call),
                abandon_on_cancel=True,
                limiter=self._uncounted,
            )
        finally:
            # Left early, it keeps its places until its thread has ended.
            if call.has_ended or call.abandon():
                self._end(call)
            elif self._processes is not None:
                self._processes.abandon(call)

    def _end_from_thread(self, call: Call) -> None:
        with suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(self._end, call)

    def _process_way(self) -> Callable[[Call], Any]:
        if self._processes is None:
            from .processes import Processes

            self._processes = Processes()
        return self._processes.run

    def _begin(self, call: Call) -> None:
        call.has_begun = True
        self._calls.add(call)
        self._idle.clear()

    def _end(self, call: Call) -> None:
        if call not in self._calls:
            return
        call.leave()
        self._calls.discard(call)
        if not self._calls:
            self._idle.set()

    def _gates(self) -> Iterator[Gate]:
        yield from (self._threads, self._workers)
        yield from (gate for _, gate in self._limited.values())

    def _gauges(self, gate: Gate) -> PoolGauges:
        from .gauges import PoolGauges

        return PoolGauges(
            limit=gate.limit,
            borrowed=gate.limiter.borrowed_tokens,
            waiting=gate.waiting,
            abandoned=sum(call.is_abandoned for call in self._calls if gate in call.places),
        )


def _timed_out(call: Call, timeout_s: float, *, process: bool) -> OffloadTimeout:
    if not call.has_begun:
        message = f"{call.name} was not begun within {timeout_s:g} s: it waited for a place"
        hint = "offload less at the same time, or raise the limit that it waits for"
    else:
        message = f"{call.name} did not end within {timeout_s:g} s"
        hint = "its process was ended" if process else "its thread goes on, and keeps its place"
    return OffloadTimeout(message, code="offloading.E011", hint=hint)


def _stuck(gate: Gate, holders: Sequence[Call]) -> str:
    """Return who has the places of a gate that nobody leaves."""
    others = gate.limiter.borrowed_tokens - len(holders)
    names = [_counted(holders)] if holders else []
    if others > 0:
        names.append(f"plain def handlers and dependencies ({others})")
    return (
        f"the {gate.limit} places of {gate.name} have been taken for seconds by the same"
        f" functions, while {gate.waiting} callers wait: {', '.join(names)}"
    )


def _counted(calls: Iterable[Call]) -> str:
    counts = collections.Counter(call.name for call in calls)
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
