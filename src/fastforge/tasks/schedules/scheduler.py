"""Scheduler: enqueues the jobs of a project's schedules when they are due, in every worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from ...lifecycle import Container
from ..backend import BackendAway, TaskBackend
from ..clock import Clock
from ..kinds import SCHEDULES
from ..ledger import ScheduledRun, ScheduleLedger
from ..settings import Tasks
from ..trouble import Trouble, backoff
from .jobs import scheduled_job
from .policy import passed_times
from .schedule import Schedule
from .zones import time_zone_of

__all__ = ["Scheduler"]

logger = logging.getLogger("fastforge.tasks")

LOOK_S: Final = 1.0
"""How long it sleeps at most, in seconds: a clock that was changed is noticed then."""
LEAST_PAUSE_S: Final = 0.001
SET_BACK: Final = timedelta(minutes=1)
"""By how much an entered time may lie ahead until that is told: clocks of hosts differ a little."""
_TICK: Final = timedelta(microseconds=1)


class _Track:
    """A schedule, the last of its times that is known to be entered, and the next one."""

    __slots__ = ("_is_told", "_time_zone", "due", "entered", "schedule")

    def __init__(self, schedule: Schedule, time_zone: str) -> None:
        self.schedule = schedule
        self._is_told = False
        self._time_zone = time_zone
        self.entered: datetime | None = None
        self.due: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        return self.schedule.next_after(moment, time_zone=self._time_zone)

    def move(self, entered: datetime) -> None:
        """Note that a time is entered, and so all before it."""
        if self.entered is None or entered > self.entered:
            self.entered = entered
            self.due = self.next_after(entered)

    def tell_if_set_back(self, now: datetime) -> None:
        """Say once why nothing happens, where the clock shows again what it has shown before."""
        is_set_back = self.entered is not None and self.entered - now > SET_BACK
        if is_set_back and not self._is_told:
            logger.warning(
                "the schedule %s waits until %s: its runs until then are entered already, so the"
                " clock was set back",
                self.schedule.name,
                f"{self.due:%Y-%m-%dT%H:%M:%SZ}" if self.due else "ever",
            )
        self._is_told = is_set_back

    def beginning(self, now: datetime) -> datetime:
        """Return where a new schedule begins: now, but at none of its times.

        It is entered, and what is entered is taken from the workers that began earlier.
        """
        while self.next_after(now - _TICK) == now:
            now += _TICK
        return now


class Scheduler:
    """Enters each due time in the backend's ledger, which lets one worker enqueue its job.

    Between two due times it asks the backend nothing. A backend that is away is waited for; then
    the times that were missed are treated as each schedule says.

    Args:
        schedules: The schedules.
        ledger: Keeps the runs, and takes the jobs.
        clock: Tells the time.
        trouble: Told about every failure and success.
        time_zone: The zone of schedules that name none.
        settings: What holds for jobs whose task says nothing.
    """

    def __init__(
        self,
        schedules: Iterable[Schedule],
        ledger: ScheduleLedger,
        clock: Clock,
        trouble: Trouble,
        *,
        time_zone: str,
        settings: Tasks,
    ) -> None:
        self._tracks = [_Track(schedule, time_zone) for schedule in schedules]
        self._ledger = ledger
        self._clock = clock
        self._trouble = trouble
        self._settings = settings
        self._is_begun = False

    @classmethod
    def of(cls, container: Container, backend: TaskBackend, trouble: Trouble) -> Scheduler:
        """Return the scheduler of a running project."""
        return cls(
            container.registry.values(SCHEDULES),
            backend.ledger,
            backend.clock,
            trouble,
            time_zone=time_zone_of(container.settings),
            settings=container.settings.section(Tasks),
        )

    async def run(self) -> None:
        """Enqueue what becomes due, until cancelled."""
        pauses = backoff()
        while self._tracks:
            try:
                await self.tick()
            except Exception as error:
                self._trouble.failed("schedule", error)
                await asyncio.sleep(pauses.next_s())
            else:
                self._trouble.succeeded("schedule")
                pauses.reset()
                await asyncio.sleep(self._pause_s())

    async def tick(self) -> None:
        """Enter all that is due at this moment.

        Raises:
            Exception: The backend failed for a schedule; the others have had their turn.
        """
        if not self._is_begun:
            await self._begin()
            self._is_begun = True
        failure: Exception | None = None
        for track in self._tracks:
            try:
                await self._enter_due(track)
            except BackendAway:
                raise
            except Exception as error:
                failure = error
        if failure is not None:
            raise failure

    @property
    def next_due(self) -> datetime | None:
        """When something is due next; None where nothing is, and before the first tick."""
        return min((track.due for track in self._tracks if track.due), default=None)

    def _pause_s(self) -> float:
        now = self._clock.now()
        waits = ((track.due - now).total_seconds() for track in self._tracks if track.due)
        return min(LOOK_S, max(LEAST_PAUSE_S, min(waits, default=LOOK_S)))

    async def _begin(self) -> None:
        """Learn what is entered; a schedule without history begins here, without a job."""
        await self._learn(self._tracks)
        now = self._clock.now()
        for track in self._tracks:
            if track.entered is None:
                beginning = track.beginning(now)
                name = track.schedule.name
                await self._ledger.enter(ScheduledRun(schedule=name, due_at=beginning), None)
                track.move(beginning)

    async def _learn(self, tracks: Sequence[_Track]) -> None:
        names = [track.schedule.name for track in tracks]
        latest = await self._ledger.latest(names)
        for track in tracks:
            if track.schedule.name in latest:
                track.move(latest[track.schedule.name].due_at)

    async def _enter_due(self, track: _Track) -> None:
        now = self._clock.now()
        track.tell_if_set_back(now)
        if track.entered is None or track.due is None or track.due > now:
            return
        policy = track.schedule.catch_up
        passed = passed_times(track.next_after, policy, track.entered, now)
        for index, each in enumerate(passed, start=1):
            if each.due_at <= track.entered:
                continue  # others have come as far meanwhile
            is_entered = await self._enter(track.schedule, each.due_at, has_job=each.has_job)
            track.move(each.due_at)
            if not is_entered and index < len(passed):
                await self._learn([track])

    async def _enter(self, schedule: Schedule, due_at: datetime, *, has_job: bool) -> bool:
        """Enter one time; return whether no other worker had done so."""
        job = None
        if has_job:
            job = scheduled_job(schedule, due_at, settings=self._settings, clock=self._clock)
        run = ScheduledRun(schedule=schedule.name, due_at=due_at, uid=job.uid if job else None)
        is_entered = await self._ledger.enter(run, job)
        if not is_entered:
            return False
        if job is None:
            _log_left_out(schedule, due_at, "it was missed, and is not caught up")
        elif job.unique is not None and not await self._became_a_job(run):
            _log_left_out(schedule, due_at, "the job of an earlier run has not ended")
        else:
            logger.debug("the schedule %s enqueued the job %s", schedule.name, run.uid)
        return True

    async def _became_a_job(self, run: ScheduledRun) -> bool:
        latest = await self._ledger.latest((run.schedule,))
        entered = latest.get(run.schedule)
        return entered is None or entered.due_at != run.due_at or entered.uid is not None


def _log_left_out(schedule: Schedule, due_at: datetime, reason: str) -> None:
    logger.info(
        "the schedule %s leaves out its run of %s: %s",
        schedule.name,
        due_at.isoformat(timespec="seconds"),
        reason,
    )
