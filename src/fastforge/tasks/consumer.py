"""Consumer: claims due jobs, runs them side by side, keeps their leases, hands back at the end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from .._utils import counted, told
from ..lifecycle import Container
from .attending import Attendant
from .backend import Claim, Renewal, Settlement, TaskBackend
from .claiming import Claimer
from .control import ConsumerOptions, Stop, new_worker_id
from .execution import JobRunner
from .isolation.pool import Isolation
from .keeping import Keeper
from .lines import JobLines
from .outcome import Outcome, Verdict
from .progress import ProgressBox
from .runs import Ending, Run, Runs
from .schedules.scheduler import Scheduler
from .settling import Settler
from .telling import Teller
from .threads import Threads
from .trouble import Trouble, backoff

__all__ = ["Consumer"]

logger = logging.getLogger("fastforge.tasks")

_Loop = Callable[[], Awaitable[None]]

STOP_CLAIM_S: Final = 1.0
"""How long a claim that is under way at SIGTERM may still take, in seconds."""
CANCEL_LIMIT_S: Final = 1.0
CANCEL_AGAIN_S: Final = 0.5
HAND_BACK_LIMIT_S: Final = 3.0
LISTENERS_LIMIT_S: Final = 1.0
END_LIMIT_S: Final = STOP_CLAIM_S + CANCEL_LIMIT_S + HAND_BACK_LIMIT_S + LISTENERS_LIMIT_S
"""What the end of a consumer takes at most beside the time that running jobs have."""


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
        self,
        container: Container,
        backend: TaskBackend,
        options: ConsumerOptions,
        stop: Stop,
    ) -> None:
        self.worker_id = new_worker_id()
        self.threads = Threads(options.concurrency, self._on_free)
        self._backend = backend
        self._options = options
        self._stop = stop
        self._runs = Runs()
        self._wake = asyncio.Event()
        self._teller = Teller(container, self.worker_id, backend.clock)
        self._lines = JobLines(container.settings, self.worker_id)
        self._teller.meter.places = options.concurrency
        self._isolation = Isolation.of(container)
        self._runner = JobRunner(container, self.threads, backend.clock, self._isolation)
        self._trouble = Trouble(self._teller.in_trouble)
        parts = (backend, self.worker_id)
        self._settler = Settler(*parts, self._trouble, self._on_settled)
        self._claimer = Claimer(*parts, options, self._trouble, self._held)
        self._keeper = Keeper(
            *parts, options, self._trouble, self._held, self._on_renewed, self._teller.meter
        )
        attendant = Attendant(*parts, self._runs, self._trouble)
        self._loops: list[_Loop] = [
            self._settler.run,
            self._keeper.run,
            attendant.run,
            self._watch_forever,
        ]
        if not options.burst:  # which works off what is due
            self._loops.append(Scheduler.of(container, backend, self._trouble).run)

    @property
    def is_in_trouble(self) -> bool:
        """Whether the backend fails at present."""
        return bool(self._trouble)

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
            loops = [group.create_task(_endless(loop)) for loop in self._loops]
            try:
                yield
            finally:
                await _cancel(loops)

    # --- claiming ---

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
            claimed = None
            free = self._free()
            # Not while settling fails: whatever this worker holds is then in doubt.
            if free > 0 and "settle" not in self._trouble:
                taken = self._runs.by_queue() + Counter(self.threads.left)
                claimed = await self._claimer.claim(free, taken)
            for claim in claimed.claims if claimed else ():
                self._start(claim)
            if self._options.burst and claimed and self._is_idle():
                return
            await self._wait_for_wake(self._claimer.pause_s(claimed))

    def _free(self) -> int:
        """Return how many places are free. A thread that nobody waits for still has its place.

        The next jobs begin while is written how as many others ended, but no more than that wait.
        """
        places = self._options.concurrency
        unwritten = max(len(self._settler) - places, 0)
        return places - len(self._runs) - unwritten - sum(self.threads.left.values())

    def _is_idle(self) -> bool:
        return not (self._runs or self._settler or self._claimer.more_waits)

    async def _wait_for_wake(self, limit_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._wake.wait()

    def _on_free(self) -> None:
        if self._claimer.more_waits or self._options.burst:
            self._wake.set()

    # --- running ---

    def _start(self, claim: Claim) -> None:
        progress = ProgressBox()
        task = asyncio.create_task(
            self._runner.run(claim, progress), name=f"job {claim.envelope.uid}"
        )
        run = Run(claim, task, progress)
        self._runs.add(run)
        run.late_s = self._teller.began(claim)
        task.add_done_callback(lambda _: self._ended(run))

    def _ended(self, run: Run) -> None:
        self._runs.remove(run)
        duration_s = run.duration_s
        self._teller.ended(run.claim, duration_s)
        outcome = self._outcome(run)
        if run.ending is not Ending.LOST:
            self._lines.write(run.claim, outcome, duration_s=duration_s, late_s=run.late_s)
            self._settler.add(Settlement(claim=run.claim, outcome=outcome, duration_s=duration_s))
        self._on_free()

    def _outcome(self, run: Run) -> Outcome:
        if run.task.cancelled():
            if run.ending is None:
                itself = asyncio.CancelledError("it cancelled itself")
                return self._runner.failure(run.claim, itself)
            is_cancelled = run.ending is Ending.CANCELLED
            return Outcome(verdict=Verdict.CANCELLED if is_cancelled else Verdict.INTERRUPTED)
        error = run.task.exception()
        return self._runner.failure(run.claim, error) if error else run.task.result()

    def _on_settled(self, settlements: Sequence[Settlement]) -> None:
        self._teller.settled(settlements)
        self._on_free()

    # --- leases and wake-up ---

    def _held(self) -> list[Claim]:
        pending = self._settler.pending(younger_than_s=self._options.held_s)
        return [*self._runs.claims, *pending]

    def _on_renewed(self, renewal: Renewal) -> None:
        for claim in renewal.lost:
            self._drop(claim)
        for settlement in renewal.vanished:
            self._lines.vanished(settlement)
        self._teller.settled(renewal.vanished)
        if renewal.freed:
            self._wake.set()

    def _drop(self, claim: Claim) -> None:
        """End a job here that another worker holds by now; its result would be refused."""
        run = self._runs.get(claim)
        if run is not None and run.end(Ending.LOST):
            self._teller.lost(claim)
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

    # --- stopping ---

    async def _drain(self) -> None:
        if self._runs:
            jobs = counted(len(self._runs), "job")
            logger.info("%s may end within %.0f s", jobs, self._options.drain_s)
            await _first_of(
                asyncio.wait({run.task for run in self._runs}),
                self._stop.now.wait(),
                timeout_s=self._options.drain_s,
            )

    async def _hand_back(self) -> None:
        """Cancel what runs, record what ended, and free all else that this worker holds."""
        for run in self._runs:
            run.end(Ending.INTERRUPTED)
        if self._runs:
            logger.info("%s handed back", counted(len(self._runs), "job is", "jobs are"))
            await asyncio.wait({run.task for run in self._runs}, timeout=CANCEL_LIMIT_S)
        try:
            async with asyncio.timeout(HAND_BACK_LIMIT_S):
                await self._settler.wait_until_idle()
                await self._backend.give_back_strays(self.worker_id, ())
                await self._backend.leave(self.worker_id)
        except Exception as error:
            left = len(self._settler) + len(self._runs)
            if left:
                logger.warning(
                    "%s not be handed back, and will run again when the lease ends: %s",
                    counted(left, "job could", "jobs could"),
                    told(error),
                )
        if self._isolation is not None:
            await self._isolation.close()
        await self._teller.end(LISTENERS_LIMIT_S)


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended: a library may swallow a cancellation.

    `asyncio.wait_for` does, before Python 3.12, when what it waits for ends at the same moment.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


async def _endless(loop: _Loop) -> None:
    await loop()


async def _first_of(*awaitables: Any, timeout_s: float | None = None) -> None:
    """Wait for the first of several; the others are cancelled unless they are tasks."""
    futures = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        await asyncio.wait(futures, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future, awaitable in zip(futures, awaitables, strict=True):
            if future is not awaitable:
                future.cancel()
