"""Telling: what happens to jobs is counted, and told to the listeners of the project."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from ..exceptions import Location
from ..lifecycle import Container, execute, plan
from ..observability.context import RunningJob, request_id, running_job
from ..observability.events import (
    CANCELLED,
    DEAD,
    FAILED,
    FINISHED,
    LOST,
    PUT_BACK,
    RETRIED,
    STARTED,
    Event,
)
from .backend import Claim, Settlement
from .clock import Clock
from .gauges import meter_of
from .kinds import JOB_LISTENERS, TASKS
from .listeners import JobEvent, JobListener, event_parameter
from .outcome import Verdict

__all__ = ["Teller"]

logger = logging.getLogger("fastforge.tasks")

AT_ONCE: Final = 16
"""How many calls of listeners run at the same time."""
WAITING: Final = 1000
"""How many calls there are at most, those that wait included; what comes then is dropped."""
UNKNOWN: Final = "(unknown)"
"""What tasks are counted as that no app declares: their names may be anything."""

_EVENTS: Final[dict[Verdict, tuple[Event, ...]]] = {
    Verdict.SUCCEEDED: (FINISHED,),
    Verdict.RETRY: (FAILED, RETRIED),
    Verdict.DEAD: (FAILED, DEAD),
    Verdict.PUT_BACK: (PUT_BACK,),
    Verdict.INTERRUPTED: (PUT_BACK,),
    Verdict.CANCELLED: (CANCELLED,),
}


class Teller:
    """Counts what happens to the jobs of one worker, and tells the listeners.

    Nothing that a listener does reaches a job or the worker.

    Args:
        container: The running project.
        worker_id: The worker.
        clock: That of the backend, by which jobs are due.
    """

    def __init__(self, container: Container, worker_id: str, clock: Clock) -> None:
        self.meter = meter_of(container)
        self._container = container
        self._worker_id = worker_id
        self._clock = clock
        self._tasks = frozenset(task.name for task in container.registry.values(TASKS))
        self._listeners: defaultdict[Event, list[JobListener]] = defaultdict(list)
        for listener in container.registry.values(JOB_LISTENERS):
            for event in listener.events:
                self._listeners[event].append(listener)
        self._calls: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._dropped = 0

    def began(self, claim: Claim) -> float | None:
        """Tell that an attempt begins; return how long the job had been due, if that is known."""
        envelope = claim.envelope
        due_at = envelope.run_at
        late_s = None if due_at is None else (self._clock.now() - due_at).total_seconds()
        self.meter.began(envelope.queue, late_s)
        self._tell(STARTED, claim)
        return late_s

    def ended(self, claim: Claim, duration_s: float) -> None:
        """Note that an attempt runs no more, whatever becomes of it."""
        queue = claim.envelope.queue
        self.meter.ended(self._label(claim), queue, duration_s)

    def lost(self, claim: Claim) -> None:
        """Tell that another worker has a job by now."""
        self._tell(LOST, claim)

    def settled(self, settlements: Sequence[Settlement]) -> None:
        """Tell what the backend has recorded."""
        for settlement in settlements:
            for event in _EVENTS[settlement.outcome.verdict]:
                self._tell(event, settlement.claim, settlement)

    def in_trouble(self, fails: bool) -> None:
        """Note whether the task backend fails."""
        self.meter.in_trouble = fails

    async def end(self, limit_s: float) -> None:
        """Let the listeners that are being called end, and give them up after that time."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=limit_s)
        calls = set(self._calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _tell(self, event: Event, claim: Claim, settlement: Settlement | None = None) -> None:
        self.meter.count(event, self._label(claim), claim.envelope.queue)
        for listener in self._listeners.get(event, ()):
            if len(self._calls) >= WAITING:
                self._drop(event)
                return
            told = JobEvent(
                event=event,
                envelope=claim.envelope,
                worker_id=(settlement and settlement.worker_id) or self._worker_id,
                attempt=claim.attempt,
                error=settlement.outcome.error if settlement else None,
                duration_s=settlement.duration_s if settlement else 0,
            )
            call = asyncio.create_task(self._call(listener, told), name=f"listener {listener.name}")
            self._calls.add(call)
            call.add_done_callback(self._forget)

    def _forget(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if not self._calls:
            self._dropped = 0

    async def _call(self, listener: JobListener, event: JobEvent) -> None:
        request_id.set(event.envelope.request_id)
        running_job.set(RunningJob(event.task, event.uid, event.attempt))
        async with self._places:
            limit = asyncio.timeout(listener.timeout_s)
            try:
                async with limit:
                    await self._run(listener, event)
            except (Exception, SystemExit, BaseExceptionGroup) as error:
                slow = TimeoutError(f"it took longer than timeout_s={listener.timeout_s:g}")
                self._log(listener, event, slow if limit.expired() else error)

    async def _run(self, listener: JobListener, event: JobEvent) -> None:
        planned = plan(listener.function, takes_arguments=True)
        async with execute(self._container, planned) as injected:
            values: dict[str, Any] = {event_parameter(listener): event, **injected}
            await listener.function(**values)

    def _log(self, listener: JobListener, event: JobEvent, error: BaseException) -> None:
        logger.error(
            "%s: the listener %s failed at %s of job %s; the job is what it was",
            Location.of(listener.function),
            listener.name,
            event.event.name,
            event.uid,
            exc_info=error,
        )

    def _drop(self, event: Event) -> None:
        self._dropped += 1
        if self._dropped == 1:
            logger.warning(
                "%d calls of listeners wait already, those for %s and what follows are dropped"
                " until some have ended",
                WAITING,
                event.name,
            )

    def _label(self, claim: Claim) -> str:
        return claim.envelope.task if claim.envelope.task in self._tasks else UNKNOWN
