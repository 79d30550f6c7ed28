"""Offloader: what one running project offloads, within its limits."""

from __future__ import annotations

import asyncio
import functools
import logging
import math
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread

from ..ending import leave_behind
from .call import Call
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
        request = _request_of(call) if process else b""
        gates = [self._workers if process else self._threads]
        if limiter is not None:
            gates.insert(0, self._gate(limiter))
        if timeout_s is None:
            await self._work(call, gates, request)
            return call.result()
        try:
            async with asyncio.timeout(timeout_s):
                await self._work(call, gates, request)
        except TimeoutError:  # not the function's own, which `result` raises
            from .telling import timed_out

            raise timed_out(call, timeout_s, process=process) from None
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
                from .telling import stuck

                holders = [call for call in self._calls if gate in call.places]
                logger.warning("%s", stuck(gate, holders))

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
            left = [call for call in self._calls if call.thread is not None]
            if left:
                from .telling import left_behind

                logger.warning("%s", left_behind(left))
                leave_behind(call.thread for call in left if call.thread is not None)
            if self._processes is not None:
                await self._processes.close()

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
            from .telling import same_name

            raise same_name(known, limiter)
        return gate

    async def _work(self, call: Call, gates: Iterable[Gate], request: bytes) -> None:
        try:
            for gate in gates:
                await call.enter(gate)
        except BaseException:
            call.leave()
            raise
        await (self._in_process(call, request) if request else self._in_thread(call))

    async def _in_thread(self, call: Call) -> None:
        self._begin(call)
        try:
            await anyio.to_thread.run_sync(
                call.run,
                functools.partial(self._end_from_thread, call),
                abandon_on_cancel=True,
                limiter=self._uncounted,
            )
        finally:
            # Left early, it keeps its places until its thread has ended.
            if call.has_ended or call.abandon():
                self._end(call)

    def _end_from_thread(self, call: Call) -> None:
        with suppress(RuntimeError):  # the event loop has ended
            self._loop.call_soon_threadsafe(self._end, call)

    async def _in_process(self, call: Call, request: bytes) -> None:
        if self._processes is None:
            from .processes import Processes

            self._processes = Processes()
        self._begin(call)
        try:
            await self._processes.run(call, request)
        finally:
            self._end(call)

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


def _request_of(call: Call) -> bytes:
    from .sending import request_of

    return request_of(call)
