"""Schedules of several workers whose jobs flow through Redis: each due time becomes one job."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fastforge import every, task
from fastforge.tasks import Clock, JobQuery, Tasks
from fastforge.tasks.schedules.scheduler import Scheduler
from fastforge.tasks.trouble import Trouble

from .world import opened_arq

BEGINNING = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)


class StandingClock(Clock):
    """Stands still until it is advanced."""

    def now(self) -> datetime:
        return BEGINNING + self.ahead


@task(name="report")
async def report() -> None: ...


@pytest.mark.parametrize(("overlap", "hours"), [("allow", [1, 2, 3]), ("skip", [1])])
async def test_each_due_time_is_entered_once_and_its_job_forwarded(
    redis_url: str, sqlite_url: str, overlap: Any, hours: list[int]
) -> None:
    clock = StandingClock()
    hourly = every("@hourly", report, overlap=overlap)
    async with AsyncExitStack() as stack:
        worlds = [
            await stack.enter_async_context(opened_arq(redis_url, sqlite_url, clock=clock))
            for _ in range(5)
        ]
        workers = [
            Scheduler(
                [hourly], each.backend.ledger, clock, Trouble(), time_zone="UTC", settings=Tasks()
            )
            for each in worlds
        ]
        await asyncio.gather(*(worker.tick() for worker in workers))
        stalled, *lively = workers
        for _ in range(3):
            clock.advance(timedelta(hours=1))
            await asyncio.gather(*(worker.tick() for worker in lively))
        await stalled.tick()
        jobs = await worlds[0].backend.desk.find(JobQuery())
        run = (await worlds[0].backend.ledger.latest(("report",)))["report"]
    assert sorted(datetime.fromisoformat(job.headers["due_at"]).hour for job in jobs) == hours
    assert run.due_at == datetime(2026, 6, 1, 3, tzinfo=UTC)
    assert (run.uid is None) == (overlap == "skip")
