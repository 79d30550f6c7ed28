"""Consumer: claims due jobs, runs them side by side, keeps their leases, hands back at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from ..lifecycle import Container
from .backend import Claim, Claimed, ClaimRequest, Settlement, TaskBackend
from .control import ConsumerOptions, Stop, new_worker_id
from .execution import JobRunner
from .outcome import Outcome, Verdict
from .settling import Settler
from .threads import Threads
from .trouble import Trouble, backoff

__all__ = ["Consumer"]

logger = logging.getLogger("fastforge.tasks")

POLL_S: Final = 1.0
"""How often an idle worker asks although nothing woke it, in seconds."""
LEAST_PAUSE_S: Final = 0.005
STOP_CLAIM_S: Final = 1.0
"""How long a claim that is under way at SIGTERM may still take, in seconds."""
CANCEL_LIMIT_S: Final = 1.0
HAND_BACK_LIMIT_S: Final = 3.0


class _Run:
    """A job that runs in this process."""

    __slots__ = ("claim", "interrupted", "lost", "task")

    def __init__(self, claim: Claim, task: asyncio.Task[Outcome]) -> None:
        self.claim = claim
        self.task = task
        self.interrupted = False
        self.lost = False


class Consumer:
    """Takes jobs from a backend and runs them, until it is told to stop.

    A backend that is away is waited for. The lease of a job is renewed exactly while it runs
    here or waits to be recorded, so that whatever is lost in between comes due again.

    Args:
        container: The running project.
        backend: Where the jobs are.
        options: How it works.
        stop: Tells it to stop.
    """

    def __init__(
        self, container: Container, backend: TaskBackend, options: ConsumerOptions, stop: Stop
    ) -> None:
        self.worker_id = new_worker_id()
        self.threads = Threads(options.concurrency)
        self._backend = backend
        self._options = options
        self._stop = stop
        self._runner = JobRunner(container, self.threads)
        self._trouble = Trouble()
        self._settler = Settler(backend, self.worker_id, self._trouble, self._on_settled)
        self._runs: dict[Claim, _Run] = {}
        self._wake = asyncio.Event()
        self._claim_pauses = backoff()
        self._more_waits = True
        self._claim_answer_lost = False

    async def run(self) -> None:
        """Consume until told to stop; then drain, and hand back what still runs."""
        async with self._side_loops():
            try:
                await self._claim_until_told()
                await self._drain()
            finally:
                await self._hand_back()

    @asynccontextmanager
    async def _side_loops(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            loops = [
                group.create_task(self._settler.run()),
                group.create_task(self._renew_forever()),
                group.create_task(self._watch_forever()),
            ]
            try:
                yield
            finally:
                for loop in loops:
                    loop.cancel()

    # Claiming

    async def _claim_until_told(self) -> None:
        claiming = asyncio.create_task(self._claim_forever())
        try:
            await _first_of(claiming, self._stop.draining.wait())
            self._wake.set()
            await asyncio.wait({claiming}, timeout=STOP_CLAIM_S)
        finally:
            claiming.cancel()
            await asyncio.wait({claiming})
        if not claiming.cancelled():
            claiming.result()

    async def _claim_forever(self) -> None:
        while not self._stop.draining.is_set():
            self._wake.clear()
            free = self._options.concurrency - len(self._runs) - len(self._settler)
            # Not while settling fails: whatever this worker holds is then in doubt.
            able = free > 0 and "settle" not in self._trouble
            claimed = await self._claim(free) if able else None
            for claim in claimed.claims if claimed else ():
                self._start(claim)
            if self._options.burst and claimed and not (self._runs or self._settler):
                return
            self._more_waits = claimed is None or len(claimed.claims) == free
            await self._wait_for_wake(self._pause_s(claimed))

    async def _claim(self, limit: int) -> Claimed | None:
        request = ClaimRequest(
            worker_id=self.worker_id,
            queues=self._options.queues,
            limit=limit,
            lease_s=self._options.lease_s,
        )
        try:
            if self._claim_answer_lost:
                await self._backend.give_back_strays(self.worker_id, self._held())
                self._claim_answer_lost = False
            claimed = await self._backend.claim(request)
        except Exception as error:
            self._claim_answer_lost = True
            self._trouble.failed("claim", error)
            return None
        self._trouble.succeeded("claim")
        self._claim_pauses.reset()
        return claimed

    def _pause_s(self, claimed: Claimed | None) -> float:
        """Return how long nothing is to be done unless something wakes the worker."""
        if "claim" in self._trouble:
            return self._claim_pauses.next_s()
        if claimed is None or claimed.next_due_s is None:
            return POLL_S
        # Not less, because a due job that another worker is just claiming shows here as well.
        return min(POLL_S, max(claimed.next_due_s, 0) + LEAST_PAUSE_S)

    async def _wait_for_wake(self, limit_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._wake.wait()

    # Running

    def _start(self, claim: Claim) -> None:
        task = asyncio.create_task(self._runner.run(claim), name=f"job {claim.envelope.uid}")
        run = self._runs[claim] = _Run(claim, task)
        task.add_done_callback(lambda _: self._ended(run))

    def _ended(self, run: _Run) -> None:
        del self._runs[run.claim]
        outcome = self._outcome(run)
        if not run.lost:
            self._settler.add(Settlement(claim=run.claim, outcome=outcome))

    def _outcome(self, run: _Run) -> Outcome:
        if run.task.cancelled():
            if run.interrupted or run.lost:
                return Outcome(verdict=Verdict.INTERRUPTED)
            return self._runner.failure(run.claim, asyncio.CancelledError("it cancelled itself"))
        error = run.task.exception()
        return self._runner.failure(run.claim, error) if error else run.task.result()

    def _on_settled(self) -> None:
        if self._more_waits or self._options.burst:
            self._wake.set()

    # Leases and wake-up

    def _held(self) -> list[Claim]:
        return [*self._runs, *self._settler.pending(younger_than_s=self._options.lease_s)]

    async def _renew_forever(self) -> None:
        pauses = backoff()
        lease_s = self._options.lease_s
        while True:
            try:
                renewal = await self._backend.renew(self.worker_id, self._held(), lease_s=lease_s)
            except Exception as error:
                self._trouble.failed("renew", error)
                await asyncio.sleep(min(pauses.next_s(), lease_s / 5))
                continue
            self._trouble.succeeded("renew")
            pauses.reset()
            for claim in renewal.lost:
                self._drop(claim)
            if renewal.freed:
                self._wake.set()
            await asyncio.sleep(lease_s / 5)

    def _drop(self, claim: Claim) -> None:
        """End a job here that another worker holds by now; its result would be refused."""
        run = self._runs.get(claim)
        if run is not None and not run.lost:
            run.lost = True
            run.task.cancel()
            logger.warning("job %s lost its lease and is cancelled here", claim.envelope.uid)

    async def _watch_forever(self) -> None:
        pauses = backoff()
        while True:
            try:
                return await self._backend.watch(self._wake.set)
            except Exception as error:
                # Not told as trouble: the poll goes on, and claims would fail as well.
                logger.debug("the wake-up of the task backend failed: %s", error)
            await asyncio.sleep(pauses.next_s())

    # Stopping

    async def _drain(self) -> None:
        if self._runs:
            logger.info("%d jobs may end within %.0f s", len(self._runs), self._options.drain_s)
            await _first_of(
                asyncio.wait({run.task for run in self._runs.values()}),
                self._stop.now.wait(),
                timeout_s=self._options.drain_s,
            )

    async def _hand_back(self) -> None:
        """Cancel what runs, record what ended, and free all else that this worker holds."""
        for run in self._runs.values():
            run.interrupted = True
            run.task.cancel()
        if self._runs:
            logger.info("%d jobs are handed back", len(self._runs))
            tasks = {run.task for run in self._runs.values()}
            await asyncio.wait(tasks, timeout=CANCEL_LIMIT_S)
        try:
            async with asyncio.timeout(HAND_BACK_LIMIT_S):
                await self._settler.wait_until_idle()
                await self._backend.give_back_strays(self.worker_id, ())
        except Exception as error:
            logger.warning(
                "%d jobs could not be handed back, they run again when their lease ends: %r",
                len(self._settler) + len(self._runs),
                error,
            )


async def _first_of(*awaitables: Any, timeout_s: float | None = None) -> None:
    """Wait for the first of several; the others are cancelled unless they are tasks."""
    futures = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future, awaitable in zip(futures, awaitables, strict=True):
            if future is not awaitable:
                future.cancel()
