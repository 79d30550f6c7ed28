"""Offloader: what one running project offloads, within its limits."""

from __future__ import annotations

import asyncio
import collections
import logging
import math
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread

from ..ending import leave_behind
from ..lifecycle import Container
from .call import Call, current_call
from .errors import OffloadError, OffloadTimeout
from .gate import Gate
from .gauges import OffloadGauges, PoolGauges
from .limiter import Limiter
from .processes import Processes
from .sending import request_of
from .threads import thread_tokens

__all__ = ["DRAIN_S", "Offloader", "offloader_of", "running_offloader"]

logger = logging.getLogger("fastforge.offloading")

DRAIN_S: Final = 5.0
"""How long offloaded functions may go on when the project stops, before its resources close."""
LAST_DRAIN_S: Final = 0.5
"""The same for those that were offloaded meanwhile."""
LOOK_EVERY_S: Final = 5.0
"""How often it is looked whether a limit is stuck."""


class Offloader:
    """Runs functions in the threads and processes of one project.

    Args:
        threads: What counts the threads: AnyIO's default limiter, which others use too.
        processes: How many processes may work at the same time.
    """

    def __init__(self, threads: anyio.CapacityLimiter, processes: int) -> None:
        self._threads = Gate(threads, name="SERVER.threads")
        self._workers = Gate(anyio.CapacityLimiter(processes), name="SERVER.offload_processes")
        self._limited: dict[str, tuple[Limiter, Gate]] = {}
        self._calls: set[Call] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._processes = Processes()
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
        request = request_of(call) if process else b""
        gates = [self._workers if process else self._threads]
        if limiter is not None:
            gates.insert(0, self._gate(limiter))
        try:
            async with asyncio.timeout(timeout_s):
                await self._enter(call, gates)
                await (self._in_process(call, request) if process else self._in_thread(call))
        except TimeoutError:  # not the function's own, which `result` raises
            raise _timed_out(call, timeout_s or 0, process) from None
        return call.result()

    def gauges(self) -> OffloadGauges:
        """Return what runs and waits now."""
        return OffloadGauges(
            threads=self._gauges(self._threads),
            processes=self._gauges(self._workers),
            live_processes=len(self._processes),
            limiters={name: self._gauges(gate) for name, (_, gate) in self._limited.items()},
        )

    async def watch(self, stopping: asyncio.Event) -> None:
        """Tell of limits that are stuck until the project stops; then let functions end."""
        while not stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await stopping.wait()
            self.look()
        await self.drain(DRAIN_S)

    def look(self) -> None:
        """Tell of each limit where nobody has left since the last look although others wait."""
        for gate in self._gates():
            if gate.look():
                logger.warning("%s", self._stuck(gate))

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
                logger.warning(
                    "offloaded functions did not end and are left behind: %s", _counted(left)
                )
                leave_behind(call.thread for call in left if call.thread is not None)
            await self._processes.close()

    def _gate(self, limiter: Limiter) -> Gate:
        known, gate = self._limited.get(limiter.name, (None, None))
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

    async def _enter(self, call: Call, gates: Iterable[Gate]) -> None:
        try:
            for gate in gates:
                await call.enter(gate)
        except BaseException:
            call.leave()
            raise

    async def _in_thread(self, call: Call) -> None:
        # A task of its own: it holds the places until the thread ends, whatever becomes of us.
        call.work = asyncio.create_task(self._work(call))
        self._begin(call)
        try:
            await asyncio.shield(call.work)
        finally:
            call.is_abandoned = not call.has_ended

    async def _work(self, call: Call) -> None:
        current_call.set(call)
        try:
            await anyio.to_thread.run_sync(
                call.run, abandon_on_cancel=True, limiter=self._uncounted
            )
        finally:
            self._end(call)

    async def _in_process(self, call: Call, request: bytes) -> None:
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
        call.leave()
        self._calls.discard(call)
        if not self._calls:
            self._idle.set()

    def _gates(self) -> Iterator[Gate]:
        yield from (self._threads, self._workers)
        yield from (gate for _, gate in self._limited.values())

    def _gauges(self, gate: Gate) -> PoolGauges:
        return PoolGauges(
            limit=gate.limit,
            borrowed=gate.limiter.borrowed_tokens,
            waiting=gate.waiting,
            abandoned=sum(call.is_abandoned for call in self._calls if gate in call.places),
        )

    def _stuck(self, gate: Gate) -> str:
        holders = [call for call in self._calls if gate in call.places]
        others = gate.limiter.borrowed_tokens - len(holders)
        names = [_counted(holders)] if holders else []
        if others > 0:
            names.append(f"plain def handlers and dependencies ({others})")
        return (
            f"all {gate.limit} places of {gate.name} have been taken for {LOOK_EVERY_S:g} s, and"
            f" {gate.waiting} callers wait: {', '.join(names)}"
        )


_offloaders: WeakKeyDictionary[Container, Offloader] = WeakKeyDictionary()


@asynccontextmanager
async def running_offloader(
    container: Container, *, threads: int, processes: int
) -> AsyncIterator[Offloader]:
    """Give a container its offloader, and end what runs in it at the close.

    Args:
        container: The running project.
        threads: How many threads the event loop shall have.
        processes: How many processes may work at the same time.
    """
    with thread_tokens(threads) as limiter:
        offloader = _offloaders[container] = Offloader(limiter, processes)
        try:
            yield offloader
        finally:
            del _offloaders[container]
            await offloader.close()


def offloader_of(container: Container) -> Offloader:
    """Return the offloader of a running project.

    Raises:
        OffloadError: The project has stopped.
    """
    try:
        return _offloaders[container]
    except KeyError:
        raise OffloadError(
            "nothing can be offloaded: the project has stopped",
            code="offloading.E006",
            hint="await what is offloaded before the last resource closes",
        ) from None


def _counted(calls: Iterable[Call]) -> str:
    counts = collections.Counter(call.name for call in calls)
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))


def _timed_out(call: Call, timeout_s: float, process: bool) -> OffloadTimeout:
    if not call.has_begun:
        message = f"{call.name} was not begun within {timeout_s:g} s: it waited for a place"
        hint = "offload less at the same time, or raise the limit that it waits for"
    else:
        message = f"{call.name} did not end within {timeout_s:g} s"
        hint = "its process was ended" if process else "its thread goes on, and keeps its place"
    return OffloadTimeout(message, code="offloading.E011", hint=hint)
